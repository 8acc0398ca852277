import type { KeyView, OrderView, WithdrawalView } from '../protocol/feed.ts'
import type { Receipt } from '../protocol/receiptShape.ts'
import type { FeedKeysView } from '../protocol/seal.ts'
import { History } from './history.ts'
import type { Binding } from './messages.ts'
import type { CallOptions } from './patience.ts'
import { queryOf } from './query.ts'
import { Session } from './session.ts'
import type { OpenOptions } from './session.ts'
import type { Signer } from './signer.ts'
import { readStream } from './stream.ts'
import type { StreamOptions } from './stream.ts'
import { VenueReader } from './venueReader.ts'
import type { BalanceView, DeadManView } from './views/account.ts'
import type { OwnOrderbook } from './views/orders.ts'
import type { StreamMessage } from './views/stream.ts'
import type { AssetView, MarketView, VenueView } from './views/venue.ts'

export interface ListOptions extends CallOptions {
  readonly market?: string
  /** `all`: also those that closed last. Older ones are in `history.closedOrders`. */
  readonly status?: 'open' | 'all'
  readonly limit?: number
}

/** What a venue says to the key of an account: nothing is ever signed but its login. Errors: NeverSent, Refused, OutcomeUnknown. */
export class AccountReader extends VenueReader {
  readonly venue: VenueView
  readonly signer: Signer
  readonly binding: Binding
  /** What has happened: fills, trades, closed orders, settlements, deposits, withdrawals. */
  readonly history: History
  readonly #session: Session

  protected constructor(session: Session) {
    super(session.courier)
    this.venue = session.venue
    this.signer = session.signer
    this.binding = session.binding
    this.history = new History(session)
    this.#session = session
  }

  static async open(url: string, signer: Signer, options: OpenOptions = {}): Promise<AccountReader> {
    return new AccountReader(await Session.open(url, signer, options))
  }

  /** @throws Error where the venue has none of that name */
  market(name: string): MarketView {
    const market = this.venue.markets.find((candidate) => candidate.name === name)
    if (market === undefined) throw new Error(`there is no market ${name}; there is ${this.venue.markets.map((one) => one.name).join(', ')}`)
    return market
  }

  /** @throws Error where the venue has none of that code */
  asset(code: string): AssetView {
    const asset = this.venue.assets.find((candidate) => candidate.code === code)
    if (asset === undefined) throw new Error(`there is no asset ${code}; there is ${this.venue.assets.map((one) => one.code).join(', ')}`)
    return asset
  }

  /** SEP-10: proves the key with a signed challenge. Reads call it by themselves when there is no token, or no valid one. */
  login(options?: CallOptions): Promise<string> {
    return this.#session.login(options)
  }

  /** One of the account's orders, open or closed. */
  order(id: string, options?: CallOptions): Promise<OrderView> {
    return this.#session.read(`/api/v1/orders/${encodeURIComponent(id)}`, options)
  }

  /** The last order that was placed under that client order id: the nonce of its message. */
  orderByClientId(clientOrderId: string, options?: CallOptions): Promise<OrderView> {
    return this.#session.read(`/api/v1/orders/client/${encodeURIComponent(clientOrderId)}`, options)
  }

  /** The account's orders, newest first: those that are open, unless `status` says otherwise. */
  async orders({ market, status, limit, ...options }: ListOptions = {}): Promise<readonly OrderView[]> {
    const { orders } = await this.#session.read<{ orders: OrderView[] }>(`/api/v1/orders${queryOf({ market, status, limit })}`, options)
    return orders
  }

  /** The account's own resting orders of a market, best first: nobody else's are ever shown. */
  orderbook(market: string, options?: CallOptions): Promise<OwnOrderbook> {
    return this.#session.read(`/api/v1/orderbook/${encodeURIComponent(market)}`, options)
  }

  /** What the account has of each asset. */
  async balances(options?: CallOptions): Promise<readonly BalanceView[]> {
    const { balances } = await this.#session.read<{ balances: BalanceView[] }>('/api/v1/balances', options)
    return balances
  }

  /** The keys that open the account's feed on NATS, where the venue seals it: for `readFeed` and `NatsRequests`. */
  feedKeys(options?: CallOptions): Promise<FeedKeysView> {
    return this.#session.read('/api/v1/feed-key', options)
  }

  /** The keys that may act for the account. */
  async keys(options?: CallOptions): Promise<readonly KeyView[]> {
    const { keys } = await this.#session.read<{ keys: KeyView[] }>('/api/v1/keys', options)
    return keys
  }

  /** What proves the fill of one trade, once it has settled: `verifyReceipt` checks it. */
  receipt(trade: string, options?: CallOptions): Promise<Receipt> {
    return this.history.receipt(trade, options)
  }

  /** Follows channels as they happen, over as many connections as it takes: every message once and in order, for as long as they are read. */
  stream(options: StreamOptions): AsyncGenerator<StreamMessage> {
    return readStream(this.#session, options)
  }

  /** Dead-man timers that run, by key. */
  async deadManTimers(options?: CallOptions): Promise<readonly DeadManView[]> {
    const { timers } = await this.#session.read<{ timers: DeadManView[] }>('/api/v1/dead-man', options)
    return timers
  }

  /** How a withdrawal stands. */
  withdrawal(id: string, options?: CallOptions): Promise<WithdrawalView> {
    return this.#session.read(`/api/v1/withdrawals/${encodeURIComponent(id)}`, options)
  }
}
