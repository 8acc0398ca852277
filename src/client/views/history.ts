import type { FeedEvent, WithdrawalView } from '../../protocol/feed.ts'

/** Where something stands in the account's feed, and when it happened (ISO 8601). */
interface Happened {
  readonly seq: number
  readonly time: string
}

/** What the feed says in messages of one type. */
type Told<Type extends FeedEvent['type']> = Omit<Extract<FeedEvent, { type: Type }>, 'type'>

/** One of your fills. */
export type FillView = Happened & Told<'fill'>

/** Your fill of a trade, and what settled it: both null while it is pending. */
export interface TradeView extends FillView {
  readonly status: 'pending' | 'settled'
  readonly transaction: string | null
  readonly ledger: number | null
}

export type DepositView = Happened & Told<'deposit'>

/** Your trades that went to the chain together. */
export type SettlementView = Happened & Told<'settled'>

/** One step of a withdrawal: of one id, the newest says how it stands. */
export type WithdrawalStepView = Happened & WithdrawalView
