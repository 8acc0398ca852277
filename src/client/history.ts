import type { OrderView } from '../protocol/feed.ts'
import type { Receipt } from '../protocol/receiptShape.ts'
import type { CallOptions } from './patience.ts'
import { pages } from './pages.ts'
import type { PageOptions } from './pages.ts'
import type { Session } from './session.ts'
import type { DepositView, FillView, SettlementView, TradeView, WithdrawalStepView } from './views/history.ts'

export type HistoryOptions = PageOptions

export interface MarketHistoryOptions extends HistoryOptions {
  readonly market?: string
}

export interface FillOptions extends MarketHistoryOptions {
  /** Of one order only. */
  readonly order?: string
}

/**
 * What has happened to an account, newest first, as far back as the venue keeps it. Each list asks for its next page when the last one is read, so whoever
 * breaks off asks for no more than was wanted; what happens meanwhile is not in it. Errors as of any read.
 */
export class History {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  fills({ market, order, ...options }: FillOptions = {}): AsyncGenerator<FillView> {
    return this.#list('/api/v1/fills', 'fills', { market, order }, options)
  }

  /** Orders as they were when they closed. */
  closedOrders({ market, ...options }: MarketHistoryOptions = {}): AsyncGenerator<OrderView> {
    return this.#list('/api/v1/orders', 'orders', { status: 'closed', market }, options)
  }

  settlements(options: HistoryOptions = {}): AsyncGenerator<SettlementView> {
    return this.#list('/api/v1/settlements', 'settlements', {}, options)
  }

  deposits(options: HistoryOptions = {}): AsyncGenerator<DepositView> {
    return this.#list('/api/v1/deposits', 'deposits', {}, options)
  }

  withdrawals(options: HistoryOptions = {}): AsyncGenerator<WithdrawalStepView> {
    return this.#list('/api/v1/withdrawals', 'withdrawals', {}, options)
  }

  /** Your fill of one trade, with what settled it. */
  trade(id: string, options?: CallOptions): Promise<TradeView> {
    return this.#session.read(`/api/v1/trades/${encodeURIComponent(id)}`, options)
  }

  /** What proves your fill of one trade, once it has settled: `verifyReceipt` checks it. */
  receipt(id: string, options?: CallOptions): Promise<Receipt> {
    return this.#session.read(`/api/v1/trades/${encodeURIComponent(id)}/receipt`, options)
  }

  #list<View>(path: string, items: string, filter: Readonly<Record<string, string | undefined>>, { page, ...options }: HistoryOptions): AsyncGenerator<View> {
    return pages((asked) => this.#session.read(asked, options), path, items, filter, page)
  }
}
