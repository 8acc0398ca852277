/**
 * The words of the book, as docs/matching.md defines them. Numbers, because they stand in typed arrays, in event buffers and in snapshots:
 * never give one another meaning.
 */
export const side = { buy: 0, sell: 1 } as const
export type Side = (typeof side)[keyof typeof side]

export const timeInForce = { rest: 0, ioc: 1, fok: 2 } as const
export type TimeInForce = (typeof timeInForce)[keyof typeof timeInForce]

/** What an order that comes in does where it would trade with one of its own account. */
export const selfTrade = { cancelNewest: 0, cancelOldest: 1, cancelBoth: 2, decrement: 3 } as const
export type SelfTrade = (typeof selfTrade)[keyof typeof selfTrade]

export const condition = { none: 0, aggregate: 1, perCounterparty: 2, allOrNone: 3 } as const
export type Condition = (typeof condition)[keyof typeof condition]

export const marketState = { open: 0, cancelOnly: 1, halted: 2 } as const
export type MarketState = (typeof marketState)[keyof typeof marketState]

export const command = { place: 0, cancel: 1, amend: 2, cancelAll: 3 } as const
export type Command = (typeof command)[keyof typeof command]

/** Why a command is refused. */
export const refusal = {
  id_in_use: 1,
  market_halted: 2,
  market_cancel_only: 3,
  conditions_conflict: 4,
  price_out_of_range: 5,
  price_outside_band: 6,
  quantity_too_small: 7,
  quantity_too_large: 8,
  minimum_exceeds_quantity: 9,
  value_too_large: 10,
  post_only_would_trade: 11,
  account_orders_exceeded: 12,
  market_full: 13,
  conditional_orders_exceeded: 14,
  order_not_open: 15,
  amend_too_late: 16,
} as const
export type RefusalName = keyof typeof refusal

/** Why an order that was accepted is cancelled. */
export const cancellation = {
  requested: 1,
  self_trade: 2,
  no_liquidity: 3,
  fok_unfillable: 4,
  minimum_unmet: 5,
  budget_spent: 6,
  remainder_returned: 7,
} as const
export type CancellationName = keyof typeof cancellation

export const reduction = { amend: 1, self_trade: 2 } as const
export type ReductionName = keyof typeof reduction

/** An order as it comes in. The book reads it at once; a caller may use the same object again. */
export interface NewOrder {
  /** Chosen by the caller, unique among resting orders: 1 … 2^53 − 1. */
  id: number
  /** Unsigned 32-bit. */
  account: number
  side: Side
  /** Worst price; 0 where `budget` bounds the order. */
  ticks: number
  /** Total quantity; for a budget the most it may buy. */
  lots: number
  /** Most to spend, in ticks × lots; 0 where there is a price. */
  budget: number
  timeInForce: TimeInForce
  postOnly: boolean
  condition: Condition
  /** For `aggregate` and `perCounterparty`; otherwise 0. */
  minimum: number
  returnRemainder: boolean
  selfTrade: SelfTrade
  /** Unix seconds, unsigned 32-bit; 0 is never. */
  expires: number
}

/** The bounds of a market. */
export interface BookRules {
  readonly minLots: number
  readonly maxLots: number
  readonly maxTicks: number
  /** Largest ticks × lots of an order, and largest budget: at most 2^53 − 1. */
  readonly maxValue: number
  readonly maxOrders: number
  readonly maxOrdersPerAccount: number
  readonly maxConditionalOrders: number
  /** null: no fees. Otherwise maxLots × lotSize and maxValue × tickSize are below 2^53. */
  readonly fees: FeeRules | null
}

export interface FeeRules {
  /** Parts per million of what the side receives, 0 … 1 000 000. */
  readonly maker_ppm: number
  readonly taker_ppm: number
  /** Base units per lot, and quote units per lot per tick. */
  readonly lotSize: number
  readonly tickSize: number
}

/** An event as a plain object: what tests, tools and strangers read. The book itself writes them into a buffer (events.ts). */
export type BookEvent =
  | ({ readonly event: 'accepted' } & Readonly<NewOrder>)
  | { readonly event: 'rested'; readonly id: number; readonly ticks: number; readonly open: number }
  | {
      readonly event: 'filled'
      readonly maker: number
      readonly taker: number
      readonly makerAccount: number
      readonly takerAccount: number
      readonly takerSide: Side
      readonly ticks: number
      readonly lots: number
      readonly makerOpen: number
      /** For a budget: what it may still buy at most by its quantity. */
      readonly takerOpen: number
      /** Smallest units of what each side receives. */
      readonly makerFee: number
      readonly takerFee: number
    }
  | { readonly event: 'reduced'; readonly id: number; readonly by: number; readonly open: number; readonly reason: ReductionName }
  | { readonly event: 'amended'; readonly id: number; readonly ticks: number; readonly open: number }
  | { readonly event: 'cancelled'; readonly id: number; readonly open: number; readonly reason: CancellationName }
  | { readonly event: 'expired'; readonly id: number; readonly open: number }
  | {
      readonly event: 'rejected'
      readonly command: Command
      readonly id: number
      readonly account: number
      readonly reason: RefusalName
      /** As found; 0 where there is no such order of that account. */
      readonly open: number
      readonly filled: number
    }
  | { readonly event: 'controlled'; readonly state: MarketState; readonly lowTicks: number; readonly highTicks: number }
