import type { OrderView } from '../../protocol/feed.ts'

export interface CancelView {
  readonly id: string
  readonly market: string
  readonly status: OrderView['status']
  readonly reason: string | null
  readonly filledQuantity: string
  readonly filledQuote: string
  readonly updated: string
}

/** An order after an amend: price and total quantity as they are now. */
export interface AmendView extends CancelView {
  readonly price: string
  readonly quantity: string
}

/** What a cancel-all has done; `waiting` are markets that have yet to say, `halted` those that let nothing go. */
export interface CancelAllView {
  readonly id: string
  readonly cancelled: number
  readonly waiting: readonly string[]
  readonly halted: readonly string[]
}

/** The account's own resting orders of a market, best first; not `complete` where it has more than one answer holds. */
export interface OwnOrderbook {
  readonly market: string
  readonly bids: readonly OrderView[]
  readonly asks: readonly OrderView[]
  readonly complete: boolean
}
