import type { AccountId, Amount, Lots, MarketName, Milliseconds, OrderId, Seconds, Side, Ticks, TimeInForce, TradeId } from './identity.ts'
import type { ReplyTo } from './packets.ts'

/** From a vault actor to a pair actor: orders whose funds are reserved, and cancels whose right was checked. */
export type PairMessage =
  | {
      readonly kind: 'place'
      readonly order: OrderId
      readonly account: AccountId
      readonly side: Side
      /** Limit or worst price; 0 for a market buy bounded by `spend`. */
      readonly ticks: Ticks
      readonly lots: Lots
      readonly spend: Amount
      readonly timeInForce: TimeInForce
      /** Limit orders may rest; market orders never do. */
      readonly mayRest: boolean
      readonly expires: Seconds
      /** When the vault actor took the order, by its clock: what every answer calls `created`. */
      readonly created: Milliseconds
      readonly reply: ReplyTo | null
    }
  | { readonly kind: 'cancel'; readonly order: OrderId; readonly account: AccountId; readonly reply: ReplyTo | null }

/** Why an order is closed. `cancelled`: the trader asked. */
export type CloseReason =
  | 'filled'
  | 'cancelled'
  | 'expired'
  /** IOC or market: nothing more to trade with at this price. */
  | 'no_liquidity'
  /** FOK: not all of it could trade at once, so none did. */
  | 'fok_unfillable'
  /** The newer of two orders of one account that would have met. */
  | 'self_trade'
  /** The market holds as many orders as it may. */
  | 'market_full'

const statusByReason = {
  filled: 'filled',
  cancelled: 'cancelled',
  no_liquidity: 'cancelled',
  fok_unfillable: 'cancelled',
  self_trade: 'cancelled',
  expired: 'expired',
  market_full: 'rejected',
} as const satisfies Record<CloseReason, string>

/** The status of an order that was closed for that reason. */
export const closedStatus = (reason: CloseReason): (typeof statusByReason)[CloseReason] => statusByReason[reason]

export type FillRole = 'maker' | 'taker'

/** What a pair actor answers a gateway: the order as the market left it. */
export interface PairOutcome {
  readonly order: OrderId
  readonly status: 'open' | 'filled' | 'cancelled' | 'expired' | 'rejected'
  readonly reason: CloseReason | null
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
  readonly time: Milliseconds
}
