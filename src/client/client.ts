import type { KeyView, OrderView, WithdrawalView } from '../protocol/feed.ts'
import { AccountReader } from './accountReader.ts'
import { resultOf } from './batch.ts'
import type { BatchItem, BatchResult } from './batch.ts'
import { exchange } from './http.ts'
import { amendMessage, cancelAllMessage, cancelMessage, delegateMessage, orderMessage, revokeMessage, signRequest, withdrawMessage } from './messages.ts'
import type { Delegation, NewOrder, SignedRequest, Validity } from './messages.ts'
import { Session } from './session.ts'
import type { Signer } from './signer.ts'
import type { AmendView, CancelAllView, CancelView } from './views/orders.ts'

const DEFAULT_VALIDITY_S = 3_600

/** One trader at one venue: reads, and signs and sends. Nothing is retried here. Errors: NeverSent, Refused, OutcomeUnknown. */
export class Client extends AccountReader {
  /** @param account where the signer is a delegated key, the account it acts for */
  static override async open(url: string, signer: Signer, account = signer.address): Promise<Client> {
    return new Client(await Session.open(url, signer, account))
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

  /** Only the account's own key delegates and revokes. */
  async signDelegation(key: string, delegation: Delegation, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(delegateMessage(this.binding, key, delegation, until(validity)), this.signer)
  }

  async signRevocation(key: string, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(revokeMessage(this.binding, key, until(validity)), this.signer)
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

  sendDelegation(request: SignedRequest): Promise<KeyView> {
    return exchange(this.url, { method: 'POST', path: '/api/v1/keys', body: request })
  }

  sendRevocation(request: SignedRequest): Promise<KeyView> {
    return exchange(this.url, { method: 'DELETE', path: `/api/v1/keys/${request.message.key}`, body: request })
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

  /** Lets another key act for the account: see `Delegation`. */
  async delegate(key: string, delegation: Delegation): Promise<KeyView> {
    return this.sendDelegation(await this.signDelegation(key, delegation))
  }

  /** Ends what a key may do, at once. Orders that it has placed stay. */
  async revoke(key: string): Promise<KeyView> {
    return this.sendRevocation(await this.signRevocation(key))
  }
}

function until(validity: Partial<Validity> = {}, longest_s = DEFAULT_VALIDITY_S): Validity {
  const expires = validity.expires ?? Math.floor(Date.now() / 1000) + Math.min(DEFAULT_VALIDITY_S, longest_s)
  return validity.nonce === undefined ? { expires } : { expires, nonce: validity.nonce }
}
