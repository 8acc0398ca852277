import type { WithdrawalView } from '../../protocol/feed.ts'

/** Where something stands in the account's feed, and when it happened (ISO 8601). */
interface Happened {
  readonly seq: number
  readonly time: string
}

/** One of your fills. */
export interface FillView extends Happened {
  readonly trade: string
  readonly order: string
  readonly market: string
  readonly side: 'buy' | 'sell'
  readonly role: 'maker' | 'taker'
  readonly price: string
  readonly quantity: string
  readonly quote: string
}

/** Your fill of a trade, and what settled it: both null while it is pending. */
export interface TradeView extends FillView {
  readonly status: 'pending' | 'settled'
  readonly transaction: string | null
  readonly ledger: number | null
}

export interface DepositView extends Happened {
  readonly asset: string
  readonly amount: string
  readonly transaction: string
  readonly ledger: number
}

/** Your trades that went to the chain together. */
export interface SettlementView extends Happened {
  readonly trades: readonly string[]
  readonly transaction: string
  readonly ledger: number
}

/** One step of a withdrawal: of one id, the newest says how it stands. */
export type WithdrawalStepView = Happened & WithdrawalView
