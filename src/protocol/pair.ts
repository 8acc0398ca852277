import type { ErrorCode } from './errors.ts'
import type { AccountId, Amount, Lots, MarketName, MarketState, MessageId, Milliseconds, OrderId, Seconds, Side, Ticks, TimeInForce, TradeId } from './identity.ts'
import type { FeeRates } from './market.ts'
import type { ReplyTo } from './packets.ts'
import type { TapeRules } from './tape.ts'
import type { OrderTerms } from './terms.ts'

/** From a vault actor to a pair actor: orders whose funds are reserved, and what their owner wants of them, whose right was checked. */
export type PairMessage =
  | {
      readonly kind: 'place'
      readonly order: OrderId
      /** The vault actor's own number of the order, 1 … 2^47 − 1: with the actor it names the order in the book. */
      readonly number: number
      readonly account: AccountId
      /** The delegated key that placed it; null where it was the account's own. */
      readonly signer: AccountId | null
      readonly side: Side
      /** Limit or worst price; 0 for a market buy bounded by `spend`. */
      readonly ticks: Ticks
      readonly lots: Lots
      readonly spend: Amount
      readonly timeInForce: TimeInForce
      /** Limit orders may rest; market orders never do. */
      readonly mayRest: boolean
      readonly terms: OrderTerms
      readonly expires: Seconds
      /** When the vault actor took the order, by its clock: what every answer calls `created`. */
      readonly created: Milliseconds
      readonly reply: ReplyTo | null
    }
  | { readonly kind: 'cancel'; readonly order: OrderId; readonly number: number; readonly account: AccountId; readonly reply: ReplyTo | null }
  | {
      readonly kind: 'amend'
      /** The message that asks for it. */
      readonly amend: MessageId
      readonly order: OrderId
      readonly number: number
      readonly account: AccountId
      readonly ticks: Ticks
      /** New total: what is filled and what is open. */
      readonly lots: Lots
      readonly reply: ReplyTo | null
    }
  /** Every open order of the account in this market; answered with `swept`. */
  | { readonly kind: 'cancelAll'; readonly sweep: MessageId; readonly account: AccountId }
  /**
   * The timer of a key: over every order of the account where `signer` is the account itself, otherwise over those that key placed. `takeBack`: it has run out, whatever this
   * market's clock says, and what it covers now is taken back. `deadline`: when it runs out next; null where it no longer runs. `ask`: answered with `timed`, unless null.
   */
  | { readonly kind: 'timer'; readonly account: AccountId; readonly signer: AccountId; readonly takeBack: boolean; readonly deadline: Milliseconds | null; readonly ask: number | null }

/** What an operator may tell a pair actor. */
export type PairCommand =
  /** Opens, restricts or halts the market; new orders and amends must have a price from `lowTicks` to `highTicks`. */
  | { readonly kind: 'control'; readonly state: MarketState; readonly lowTicks: Ticks; readonly highTicks: Ticks }
  /** Takes every order of an account out of the book, in any state of the market. */
  | { readonly kind: 'cancelAll'; readonly account: AccountId }
  /** Takes the orders of some accounts out, whole accounts at a time, in any state of the market. Answered with Swept. */
  | { readonly kind: 'sweep' }

/** What a pair actor is told by its own start: what the venue file says of its tape, and of its fees, now. */
export type PairSetting = { readonly kind: 'tape'; readonly rules: TapeRules | null } | { readonly kind: 'fees'; readonly rates: FeeRates }

/** For anybody of the venue: answered with MarketStatus. */
export interface PairQuery {
  readonly kind: 'market'
}

/** After so many orders of a sweep, no further account's are taken out with them. */
export const ORDERS_SWEPT = 1_000

/** What a sweep took out, and how many orders are still open: said again until there are none. Whose they are is nobody's business. */
export interface Swept {
  readonly cancelled: number
  readonly open: number
}

export interface MarketStatus {
  readonly state: MarketState
  /** The price band. */
  readonly lowTicks: Ticks
  readonly highTicks: Ticks
}

/** Why an order is closed: its status, and what a person reads. Stable for ever. */
const closeReasons = {
  filled: 'filled',
  /** The trader asked, or an operator did. */
  cancelled: 'cancelled',
  /** A dead-man timer ran out, or a connection ended that its trader had asked to be watched. */
  dead_man: 'cancelled',
  /** IOC or market: nothing more to trade with at this price. */
  no_liquidity: 'cancelled',
  /** FOK: not all of it could trade at once, so none did. */
  fok_unfillable: 'cancelled',
  /** IOC: its minimum could not trade at once, so nothing did. */
  minimum_unmet: 'cancelled',
  /** It met an order of its own account, by the self-trade mode of the one that came in. */
  self_trade: 'cancelled',
  /** Less than its minimum was left, and it asked for that to be returned. */
  remainder_returned: 'cancelled',
  expired: 'expired',
  market_halted: 'rejected',
  market_cancel_only: 'rejected',
  price_outside_band: 'rejected',
  post_only_would_trade: 'rejected',
  account_orders_exceeded: 'rejected',
  /** The market holds as many orders as it may. */
  market_full: 'rejected',
  /** Likewise, of orders with a minimum or all-or-none. */
  conditional_orders_exceeded: 'rejected',
  /** The market's bounds have changed since the order was checked. */
  terms_out_of_range: 'rejected',
} as const satisfies Record<string, 'filled' | 'cancelled' | 'expired' | 'rejected'>

export type CloseReason = keyof typeof closeReasons

/** The status of an order that was closed for that reason. */
export const closedStatus = (reason: CloseReason): (typeof closeReasons)[CloseReason] => closeReasons[reason]

/** Why a market refuses an amend or a cancel. */
export type AmendRefusal = Extract<
  ErrorCode,
  'order_not_open' | 'market_halted' | 'market_cancel_only' | 'price_out_of_range' | 'price_outside_band' | 'quantity_out_of_range' | 'order_value_exceeded' | 'amend_too_late' | 'post_only_would_trade'
>

export type FillRole = 'maker' | 'taker'

/** What a pair actor answers a gateway: the order as the market left it, or found it where it refuses. */
export interface PairOutcome {
  readonly order: OrderId
  readonly status: 'open' | 'filled' | 'cancelled' | 'expired' | 'rejected'
  readonly reason: CloseReason | null
  readonly ticks: Ticks
  /** Total: what is filled and what is open. */
  readonly lots: Lots
  readonly filledLots: Lots
  readonly filledQuote: Amount
  readonly created: Milliseconds
  /** When the market last changed the order: what every answer calls `updated`. */
  readonly time: Milliseconds
}

/** From a pair actor to the settlement actor: one trade, exactly once. */
export interface Trade {
  readonly kind: 'trade'
  readonly id: TradeId
  readonly market: MarketName
  readonly buyer: AccountId
  readonly seller: AccountId
  readonly buyOrder: OrderId
  readonly sellOrder: OrderId
  readonly ticks: Ticks
  readonly lots: Lots
  readonly base: Amount
  readonly quote: Amount
  /** What the venue keeps of what each side receives: of `base` the buyer's, of `quote` the seller's. */
  readonly buyerFee: Amount
  readonly sellerFee: Amount
  readonly time: Milliseconds
  /** The market's digest chain before the record in which it happened: what its receipts bind it to. */
  readonly journal: Uint8Array
}
