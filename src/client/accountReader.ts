import type { KeyView, OrderView, WithdrawalView } from '../protocol/feed.ts'
import type { Binding } from './messages.ts'
import { Session } from './session.ts'
import type { Signer } from './signer.ts'
import { VenueReader } from './venueReader.ts'
import type { BalanceView } from './views/account.ts'
import type { OwnOrderbook } from './views/orders.ts'
import type { AssetView, MarketView, VenueView } from './views/venue.ts'

export interface ListOptions {
  readonly market?: string
  readonly status?: 'open' | 'all'
  readonly limit?: number
}

/** What a venue says to the key of an account: nothing is ever signed but its login. Errors: NeverSent, Refused, OutcomeUnknown. */
export class AccountReader extends VenueReader {
  readonly venue: VenueView
  readonly signer: Signer
  readonly binding: Binding
  readonly #session: Session

  protected constructor(session: Session) {
    super(session.url)
    this.venue = session.venue
    this.signer = session.signer
    this.binding = session.binding
    this.#session = session
  }

  /** @param account where the signer is a delegated key, the account it acts for */
  static async open(url: string, signer: Signer, account = signer.address): Promise<AccountReader> {
    return new AccountReader(await Session.open(url, signer, account))
  }

  market(name: string): MarketView {
    const market = this.venue.markets.find((candidate) => candidate.name === name)
    if (market === undefined) throw new Error(`there is no market ${name}; there is ${this.venue.markets.map((one) => one.name).join(', ')}`)
    return market
  }

  asset(code: string): AssetView {
    const asset = this.venue.assets.find((candidate) => candidate.code === code)
    if (asset === undefined) throw new Error(`there is no asset ${code}; there is ${this.venue.assets.map((one) => one.code).join(', ')}`)
    return asset
  }

  /** SEP-10: proves the key with a signed challenge. Reads call it by themselves when there is no token, or no valid one. */
  login(): Promise<string> {
    return this.#session.login()
  }

  order(id: string): Promise<OrderView> {
    return this.#session.read(`/api/v1/orders/${id}`)
  }

  async orders({ market, status, limit }: ListOptions = {}): Promise<readonly OrderView[]> {
    const query = new URLSearchParams()
    if (market !== undefined) query.set('market', market)
    if (status !== undefined) query.set('status', status)
    if (limit !== undefined) query.set('limit', String(limit))
    const { orders } = await this.#session.read<{ orders: OrderView[] }>(`/api/v1/orders?${query}`)
    return orders
  }

  orderbook(market: string): Promise<OwnOrderbook> {
    return this.#session.read(`/api/v1/orderbook/${market}`)
  }

  async balances(): Promise<readonly BalanceView[]> {
    const { balances } = await this.#session.read<{ balances: BalanceView[] }>('/api/v1/balances')
    return balances
  }

  /** The keys that may act for the account. */
  async keys(): Promise<readonly KeyView[]> {
    const { keys } = await this.#session.read<{ keys: KeyView[] }>('/api/v1/keys')
    return keys
  }

  withdrawal(id: string): Promise<WithdrawalView> {
    return this.#session.read(`/api/v1/withdrawals/${id}`)
  }
}
