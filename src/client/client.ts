import type { KeyView, OrderView, WithdrawalView } from '../protocol/feed.ts'
import { AccountReader } from './accountReader.ts'
import type { BatchResult } from './batch.ts'
import type { Delivery } from './courier.ts'
import type { Refused } from './errors.ts'
import type { Request } from './exchange.ts'
import { amendMessage, cancelAllMessage, cancelByClientIdMessage, cancelMessage, deadManMessage, delegateMessage, idOf, loginMessage, orderMessage, revokeMessage, signRequest, withdrawMessage } from './messages.ts'
import type { Delegation, NewOrder, SignedRequest, Validity } from './messages.ts'
import type { CallOptions } from './patience.ts'
import { Session } from './session.ts'
import type { OpenOptions } from './session.ts'
import type { Signer } from './signer.ts'
import type { Transport } from './transport.ts'
import type { DeadManView } from './views/account.ts'
import type { AmendView, CancelAllView, CancelView } from './views/orders.ts'

/** Long enough to be sent again, short enough that one held back on its way does little. */
const DEAD_MAN_VALIDITY_S = 30
/** The venue takes five minutes. */
const LOGIN_VALIDITY_S = 120

/** For calls that sign and send: how long the message is good, and how long the call goes on. */
export type SendOptions = Partial<Validity> & CallOptions

/**
 * One trader at one venue: reads, and signs and sends. A message is signed once, and the same bytes are sent until an answer says what came of them or the call's
 * time is over. Errors: NeverSent, Refused, OutcomeUnknown.
 */
export class Client extends AccountReader {
  readonly #session: Session

  protected constructor(session: Session) {
    super(session)
    this.#session = session
  }

  static override async open(url: string, signer: Signer, options: OpenOptions = {}): Promise<Client> {
    return new Client(await Session.open(url, signer, options))
  }

  /** The same client over another transport: order entry over a WebSocket (StreamTransport) or NATS (NatsTransport). It shares the login, and the verification of evidence. */
  over(transport: Transport): Client {
    return new Client(this.#session.over(transport))
  }

  /** Signs an order without sending it: to send later, or again after OutcomeUnknown. */
  async signOrder(name: string, order: NewOrder, validity?: Partial<Validity>): Promise<SignedRequest> {
    const market = this.market(name)
    const named = { name, base: market.base.contract, quote: market.quote.contract }
    return signRequest(orderMessage(this.binding, named, order, await this.#session.validity(validity, market.maxLifetime_s)), this.signer)
  }

  /** @param order its id */
  async signCancel(order: string, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(cancelMessage(this.binding, order, await this.#session.validity(validity)), this.signer)
  }

  /** @param clientOrderId the nonce of the order's message */
  async signCancelByClientId(clientOrderId: string, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(cancelByClientIdMessage(this.binding, clientOrderId, await this.#session.validity(validity)), this.signer)
  }

  /** @param quantity the new total: what is filled and what is open */
  async signAmend(order: string, price: string, quantity: string, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(amendMessage(this.binding, order, price, quantity, await this.#session.validity(validity)), this.signer)
  }

  /** @param market a market's name, or "all" */
  async signCancelAll(market = 'all', validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(cancelAllMessage(this.binding, market, await this.#session.validity(validity)), this.signer)
  }

  /** @param code of the asset @param amount decimal, in whole units */
  async signWithdrawal(code: string, amount: string, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(withdrawMessage(this.binding, this.asset(code).contract, amount, await this.#session.validity(validity)), this.signer)
  }

  /** @param timeout_s 5 to 86,400; 0 ends the timer. The venue takes messages that expire within a minute. */
  async signDeadMan(timeout_s: number, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(deadManMessage(this.binding, timeout_s, await this.#session.validity(validity, DEAD_MAN_VALIDITY_S)), this.signer)
  }

  /** Logs one WebSocket connection in, and no other. @param challenge what the gateway greeted it with */
  async signLogin(challenge: string): Promise<SignedRequest> {
    return signRequest(loginMessage(this.binding, { ...(await this.#session.validity({}, LOGIN_VALIDITY_S)), nonce: challenge }), this.signer)
  }

  /** Only the account's own key delegates and revokes. */
  async signDelegation(key: string, delegation: Delegation, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(delegateMessage(this.binding, key, delegation, await this.#session.validity(validity)), this.signer)
  }

  async signRevocation(key: string, validity?: Partial<Validity>): Promise<SignedRequest> {
    return signRequest(revokeMessage(this.binding, key, await this.#session.validity(validity)), this.signer)
  }

  /** Sends what `signOrder` signed: the order as it stands, however often it is sent. */
  sendOrder(signed: SignedRequest, options?: CallOptions): Promise<OrderView> {
    return this.#deliver({ method: 'POST', path: '/api/v1/orders' }, this.#delivery(signed, carriesId(signed)), options)
  }

  /** What became of the order. Refused with `order_not_open`, and the order as it was found, where it had closed before. */
  sendCancel(signed: SignedRequest, options?: CallOptions): Promise<CancelView> {
    return this.#deliver({ method: 'DELETE', path: orderPath(signed) }, this.#cancelDelivery(signed), options)
  }

  /** The order as it stands after it. */
  sendAmend(signed: SignedRequest, options?: CallOptions): Promise<AmendView> {
    return this.#deliver({ method: 'PUT', path: orderPath(signed) }, this.#delivery(signed, namesOrder(signed)), options)
  }

  /** `waiting`: markets that have yet to say; the same message sent again finds out. */
  sendCancelAll(signed: SignedRequest, options?: CallOptions): Promise<CancelAllView> {
    return this.#deliver({ method: 'DELETE', path: '/api/v1/orders' }, this.#delivery(signed, carriesId(signed)), options)
  }

  sendDeadMan(signed: SignedRequest, options?: CallOptions): Promise<DeadManView> {
    return this.#deliver({ method: 'POST', path: '/api/v1/dead-man' }, this.#delivery(signed, ofSigner(signed)), options)
  }

  /** The withdrawal as it stands: follow it with `withdrawal(id)` or the feed until it is `cosigned`, and complete it with `VaultOnChain`. */
  sendWithdrawal(signed: SignedRequest, options?: CallOptions): Promise<WithdrawalView> {
    return this.#deliver({ method: 'POST', path: '/api/v1/withdrawals' }, this.#delivery(signed, carriesId(signed)), options)
  }

  sendDelegation(signed: SignedRequest, options?: CallOptions): Promise<KeyView> {
    return this.#deliver({ method: 'POST', path: '/api/v1/keys' }, this.#delivery(signed, namesKey(signed)), options)
  }

  sendRevocation(signed: SignedRequest, options?: CallOptions): Promise<KeyView> {
    return this.#deliver({ method: 'DELETE', path: `/api/v1/keys/${encodeURIComponent(signed.message.key ?? '')}` }, this.#delivery(signed, namesKey(signed)), options)
  }

  /** Up to 100 signed orders at once, taken in this order. Resolves with what each came to, in the same order, whatever that is. */
  sendOrders(signed: readonly SignedRequest[], options?: CallOptions): Promise<readonly BatchResult<OrderView>[]> {
    return this.#deliverAll({ method: 'POST', path: '/api/v1/orders/batch' }, signed.map((one) => this.#delivery(one, carriesId(one))), options)
  }

  /** Up to 100 signed cancels at once, likewise. */
  sendCancels(signed: readonly SignedRequest[], options?: CallOptions): Promise<readonly BatchResult<CancelView>[]> {
    return this.#deliverAll({ method: 'DELETE', path: '/api/v1/orders/batch' }, signed.map((one) => this.#cancelDelivery(one)), options)
  }

  /** Signs and sends an order: resolves with it as the market left it, `pending` where the market has yet to say. */
  async placeOrder(market: string, order: NewOrder, options?: SendOptions): Promise<OrderView> {
    return this.sendOrder(await this.signOrder(market, order, options), options)
  }

  /** @param order its id */
  async cancelOrder(order: string, options?: SendOptions): Promise<CancelView> {
    return this.sendCancel(await this.signCancel(order, options), options)
  }

  /** @param clientOrderId the nonce of the order's message */
  async cancelOrderByClientId(clientOrderId: string, options?: SendOptions): Promise<CancelView> {
    return this.sendCancel(await this.signCancelByClientId(clientOrderId, options), options)
  }

  /** @param quantity the new total: what is filled and what is open */
  async amendOrder(order: string, price: string, quantity: string, options?: SendOptions): Promise<AmendView> {
    return this.sendAmend(await this.signAmend(order, price, quantity, options), options)
  }

  /** @param market a market's name; all markets where it is left out */
  async cancelAllOrders(market?: string, options?: SendOptions): Promise<CancelAllView> {
    return this.sendCancelAll(await this.signCancelAll(market, options), options)
  }

  /** Sets or puts off the dead-man timer of this key: unless it is set again in time, the orders that it covers are taken back. 0 ends it. */
  async setDeadMan(timeout_s: number, options?: SendOptions): Promise<DeadManView> {
    return this.sendDeadMan(await this.signDeadMan(timeout_s, options), options)
  }

  /** @param asset its code @param amount decimal, in whole units */
  async withdraw(asset: string, amount: string, options?: SendOptions): Promise<WithdrawalView> {
    return this.sendWithdrawal(await this.signWithdrawal(asset, amount, options), options)
  }

  /** Lets another key act for the account: see `Delegation`. */
  async delegate(key: string, delegation: Delegation, options?: SendOptions): Promise<KeyView> {
    return this.sendDelegation(await this.signDelegation(key, delegation, options), options)
  }

  /** Ends what a key may do, at once. Orders that it has placed stay. */
  async revoke(key: string, options?: SendOptions): Promise<KeyView> {
    return this.sendRevocation(await this.signRevocation(key, options), options)
  }

  /** Signs and sends up to 100 orders of one market. */
  async placeOrders(market: string, orders: readonly NewOrder[], options: Omit<SendOptions, 'nonce'> = {}): Promise<readonly BatchResult<OrderView>[]> {
    return this.sendOrders(await Promise.all(orders.map((order) => this.signOrder(market, order, options))), options)
  }

  /** Signs and sends cancels of up to 100 orders. */
  async cancelOrders(orders: readonly string[], options: Omit<SendOptions, 'nonce'> = {}): Promise<readonly BatchResult<CancelView>[]> {
    return this.sendCancels(await Promise.all(orders.map((order) => this.signCancel(order, options))), options)
  }

  async #deliver<View extends object>(request: Omit<Request, 'body'>, delivery: Delivery<View>, options?: CallOptions): Promise<View> {
    try {
      return await this.#session.courier.deliver(request, delivery, callOf(options))
    } catch (error) {
      this.#session.heed(error)
      throw error
    }
  }

  async #deliverAll<View extends object>(request: Omit<Request, 'body'>, deliveries: readonly Delivery<View>[], options?: CallOptions): Promise<readonly BatchResult<View>[]> {
    const results = await this.#session.courier.deliverAll(request, deliveries, callOf(options))
    for (const { error } of results) this.#session.heed(error)
    return results
  }

  #delivery<View>(signed: SignedRequest, own: Delivery<View>['own']): Delivery<View> {
    return { signed, own, useful_ms: this.#session.left_ms(Number(signed.message.expires)) }
  }

  #cancelDelivery(signed: SignedRequest): Delivery<CancelView> {
    return { ...this.#delivery(signed, namesOrder(signed)), done: cancelledBefore }
  }
}

const orderPath = ({ message: { order, clientOrderId } }: SignedRequest): string =>
  clientOrderId === undefined ? `/api/v1/orders/${encodeURIComponent(order ?? '')}` : `/api/v1/orders/client/${encodeURIComponent(clientOrderId)}`

type Own = Delivery<unknown>['own']
/** What an answer to a message is about: what the message makes, or what it names. */
function carriesId({ message }: SignedRequest): Own {
  const id = idOf(message)
  return (view) => view.id === id
}
/** Which order a client order id means, the venue knows. */
const namesOrder = ({ message }: SignedRequest): Own => ({ id }) => (message.clientOrderId === undefined ? id === message.order : typeof id === 'string')
const ofSigner = ({ message, signer }: SignedRequest): Own => (view) => view.signer === (signer ?? message.account)
const namesKey = ({ message }: SignedRequest): Own => ({ key }) => key === message.key

/** A cancel whose first copy did it, and whose next one therefore came too late: the order is what the first answer said. */
const cancelledBefore = ({ code, order }: Refused): CancelView | undefined => (code === 'order_not_open' && order?.reason === 'cancelled' ? order : undefined)

/** What of a call's options is not of its message. */
function callOf({ signal, timeout_ms, retry }: CallOptions = {}): CallOptions {
  return { ...(signal === undefined ? {} : { signal }), ...(timeout_ms === undefined ? {} : { timeout_ms }), ...(retry === undefined ? {} : { retry }) }
}
