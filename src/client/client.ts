import type { OrderView, WithdrawalView } from '../protocol/feed.ts'
import type { MarketState, SelfTrade } from '../protocol/identity.ts'
import { assertChallenge } from './challenge.ts'
import { Refused } from './errors.ts'
import type { OutcomeUnknown } from './errors.ts'
import { exchange, problemError } from './http.ts'
import type { Problem, Request } from './http.ts'
import { amendMessage, cancelAllMessage, cancelMessage, orderMessage, signRequest, withdrawMessage } from './messages.ts'
import type { Binding, NewOrder, SignedRequest, Validity } from './messages.ts'
import type { Signer } from './signer.ts'

export interface AssetView {
  readonly code: string
  readonly contract: string
  readonly decimals: number
}

export interface MarketView {
  readonly name: string
  readonly base: AssetView
  readonly quote: AssetView
  /** Price step, quantity step and bounds, as decimals. */
  readonly tickSize: string
  readonly lotSize: string
  readonly minQuantity: string
  readonly maxQuantity: string
  readonly maxPrice: string
  /** Of one order: price × quantity, or what to spend. */
  readonly maxValue: string
  readonly maxLifetime_s: number
  /** Of one account. */
  readonly maxOpenOrders: number
  /** Self-trade prevention where an order does not say. */
  readonly selfTrade: SelfTrade
}

/** What a market says of itself now. */
export interface MarketStateView {
  readonly name: string
  readonly state: MarketState
  /** The prices between which it takes orders. */
  readonly lowestPrice: string
  readonly highestPrice: string
}

/** What GET /api/v1/markets says of the venue. */
export interface VenueView {
  readonly venue: string
  readonly network: string
  readonly vault: string
  readonly assets: readonly AssetView[]
  readonly markets: readonly MarketView[]
}

export interface BalanceView {
  readonly asset: string
  readonly contract: string
  readonly settled: string
  readonly pending: string
  readonly reserved: string
  readonly available: string
}

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

/** What became of one message of a batch: `error` is Refused, or OutcomeUnknown where the same message is to be sent again. */
export type BatchResult<View> = { readonly order: View; readonly error?: undefined } | { readonly order?: undefined; readonly error: Refused | OutcomeUnknown }

interface BatchItem<View> {
  readonly status: number
  readonly order?: View
  readonly problem?: Problem
}

export interface OwnOrderbook {
  readonly market: string
  readonly bids: readonly OrderView[]
  readonly asks: readonly OrderView[]
  readonly complete: boolean
}

export interface ListOptions {
  readonly market?: string
  readonly status?: 'open' | 'all'
  readonly limit?: number
}

const DEFAULT_VALIDITY_S = 3_600

/** One trader at one venue. Everything that is sent is signed here; nothing is retried here. Errors: NeverSent, Refused, OutcomeUnknown. */
export class Client {
  readonly url: string
  readonly venue: VenueView
  readonly signer: Signer
  readonly binding: Binding
  #token: string | undefined

  private constructor(url: string, venue: VenueView, signer: Signer, account: string) {
    this.url = url
    this.venue = venue
    this.signer = signer
    this.binding = { network: venue.network, vault: venue.vault, account }
  }

  /** @param account where the signer is a delegated key, the account it acts for */
  static async open(url: string, signer: Signer, account = signer.address): Promise<Client> {
    return new Client(url, await readVenueView(url), signer, account)
  }

  market(name: string): MarketView {
    const market = this.venue.markets.find((candidate) => candidate.name === name)
    if (market === undefined) throw new Error(`there is no market ${name}; there is ${this.venue.markets.map((one) => one.name).join(', ')}`)
    return market
  }

  marketState(name: string): Promise<MarketStateView> {
    return readMarketState(this.url, name)
  }

  asset(code: string): AssetView {
    const asset = this.venue.assets.find((candidate) => candidate.code === code)
    if (asset === undefined) throw new Error(`there is no asset ${code}; there is ${this.venue.assets.map((one) => one.code).join(', ')}`)
    return asset
  }

  /** Signs an order without sending it: to send later, or again after OutcomeUnknown. */
  async signOrder(name: string, order: NewOrder, validity?: Partial<Validity>): Promise<SignedRequest> {
    const market = this.market(name)
    const named = { name, base: market.base.contract, quote: market.quote.contract }
    return signRequest(orderMessage(this.binding, named, order, until(validity, market.maxLifetime_s)), this.signer)
  }

  async signCancel(order: string, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(cancelMessage(this.binding, order, until(validity)), this.signer)
  }

  async signAmend(order: string, price: string, quantity: string, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(amendMessage(this.binding, order, price, quantity, until(validity)), this.signer)
  }

  async signCancelAll(market = 'all', validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(cancelAllMessage(this.binding, market, until(validity)), this.signer)
  }

  async signWithdrawal(code: string, amount: string, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(withdrawMessage(this.binding, this.asset(code).contract, amount, until(validity)), this.signer)
  }

  sendOrder(request: SignedRequest): Promise<OrderView> {
    return exchange(this.url, { method: 'POST', path: '/api/v1/orders', body: request })
  }

  /** Up to 100 signed orders at once, taken in this order; what each came to, in the same order. */
  async sendOrders(messages: readonly SignedRequest[]): Promise<readonly BatchResult<OrderView>[]> {
    const { results } = await exchange<{ results: BatchItem<OrderView>[] }>(this.url, { method: 'POST', path: '/api/v1/orders/batch', body: { messages } })
    return results.map(resultOf)
  }

  /** Up to 100 signed cancels at once. */
  async sendCancels(messages: readonly SignedRequest[]): Promise<readonly BatchResult<CancelView>[]> {
    const { results } = await exchange<{ results: BatchItem<CancelView>[] }>(this.url, { method: 'DELETE', path: '/api/v1/orders/batch', body: { messages } })
    return results.map(resultOf)
  }

  sendCancel(request: SignedRequest): Promise<CancelView> {
    return exchange(this.url, { method: 'DELETE', path: `/api/v1/orders/${request.message.order}`, body: request })
  }

  sendAmend(request: SignedRequest): Promise<AmendView> {
    return exchange(this.url, { method: 'PUT', path: `/api/v1/orders/${request.message.order}`, body: request })
  }

  sendCancelAll(request: SignedRequest): Promise<CancelAllView> {
    return exchange(this.url, { method: 'DELETE', path: '/api/v1/orders', body: request })
  }

  sendWithdrawal(request: SignedRequest): Promise<WithdrawalView> {
    return exchange(this.url, { method: 'POST', path: '/api/v1/withdrawals', body: request })
  }

  /** Signs and sends up to 100 orders of one market. */
  async placeOrders(market: string, orders: readonly NewOrder[], validity?: Partial<Validity>): Promise<readonly BatchResult<OrderView>[]> {
    return this.sendOrders(await Promise.all(orders.map((order) => this.signOrder(market, order, validity))))
  }

  /** Signs and sends cancels of up to 100 orders. */
  async cancelOrders(orders: readonly string[]): Promise<readonly BatchResult<CancelView>[]> {
    return this.sendCancels(await Promise.all(orders.map((order) => this.signCancel(order))))
  }

  async placeOrder(market: string, order: NewOrder, validity?: Partial<Validity>): Promise<OrderView> {
    return this.sendOrder(await this.signOrder(market, order, validity))
  }

  async cancelOrder(order: string): Promise<CancelView> {
    return this.sendCancel(await this.signCancel(order))
  }

  /** @param quantity the new total: what is filled and what is open */
  async amendOrder(order: string, price: string, quantity: string): Promise<AmendView> {
    return this.sendAmend(await this.signAmend(order, price, quantity))
  }

  /** @param market a market's name; all markets where it is left out */
  async cancelAllOrders(market?: string): Promise<CancelAllView> {
    return this.sendCancelAll(await this.signCancelAll(market))
  }

  async withdraw(asset: string, amount: string): Promise<WithdrawalView> {
    return this.sendWithdrawal(await this.signWithdrawal(asset, amount))
  }

  order(id: string): Promise<OrderView> {
    return this.#read(`/api/v1/orders/${id}`)
  }

  async orders({ market, status, limit }: ListOptions = {}): Promise<readonly OrderView[]> {
    const query = new URLSearchParams()
    if (market !== undefined) query.set('market', market)
    if (status !== undefined) query.set('status', status)
    if (limit !== undefined) query.set('limit', String(limit))
    const { orders } = await this.#read<{ orders: OrderView[] }>(`/api/v1/orders?${query}`)
    return orders
  }

  orderbook(market: string): Promise<OwnOrderbook> {
    return this.#read(`/api/v1/orderbook/${market}`)
  }

  async balances(): Promise<readonly BalanceView[]> {
    const { balances } = await this.#read<{ balances: BalanceView[] }>('/api/v1/balances')
    return balances
  }

  withdrawal(id: string): Promise<WithdrawalView> {
    return this.#read(`/api/v1/withdrawals/${id}`)
  }

  /** SEP-10: proves the key with a signed challenge. Reads call it by themselves when there is no token, or no valid one. */
  async login(): Promise<string> {
    const address = this.signer.address
    const challenge = await exchange<{ transaction: string; network_passphrase: string }>(this.url, { method: 'GET', path: `/auth?account=${address}` })
    // A challenge for another network could be a real transaction there.
    if (challenge.network_passphrase !== this.venue.network) throw new Error('the login challenge is for another network than the venue')
    assertChallenge(challenge.transaction, this.venue.network, address)
    const transaction = await this.signer.signTransaction(challenge.transaction, this.venue.network)
    const { token } = await exchange<{ token: string }>(this.url, { method: 'POST', path: '/auth', body: { transaction } })
    this.#token = token
    return token
  }

  async #read<Answer>(path: string): Promise<Answer> {
    const fresh = this.#token === undefined
    const request = (token: string): Request => ({ method: 'GET', path, token })
    const token = this.#token ?? (await this.login())
    try {
      return await exchange<Answer>(this.url, request(token))
    } catch (error) {
      if (fresh || !(error instanceof Refused) || error.code !== 'token_invalid') throw error
      return exchange<Answer>(this.url, request(await this.login()))
    }
  }
}

/** What a venue says of itself, to anybody. */
export function readVenueView(url: string): Promise<VenueView> {
  return exchange(url, { method: 'GET', path: '/api/v1/markets' })
}

/** Whether a market is open. Anybody may ask. */
export function readMarketState(url: string, name: string): Promise<MarketStateView> {
  return exchange(url, { method: 'GET', path: `/api/v1/markets/${name}` })
}

function resultOf<View>({ order, problem }: BatchItem<View>): BatchResult<View> {
  if (order !== undefined) return { order }
  return { error: problemError(problem ?? {}) }
}

function until(validity: Partial<Validity> = {}, longest_s = DEFAULT_VALIDITY_S): Validity {
  const expires = validity.expires ?? Math.floor(Date.now() / 1000) + Math.min(DEFAULT_VALIDITY_S, longest_s)
  return validity.nonce === undefined ? { expires } : { expires, nonce: validity.nonce }
}
