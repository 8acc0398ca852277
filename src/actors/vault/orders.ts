import assert from 'node:assert/strict'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { AccountId, ActorName, Amount, ContractId, Lots, MessageId, OrderId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { formatAmount } from '../../protocol/market.ts'
import type { Market } from '../../protocol/market.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import { closedStatus } from '../../protocol/pair.ts'
import type { CloseReason, PairMessage } from '../../protocol/pair.ts'
import type { CancelOrder, OrderState, PairReport, PlaceOrder, VaultQuery } from '../../protocol/vault.ts'
import { orderView } from '../../protocol/view.ts'
import type { Effects } from '../runtime/machine.ts'
import { costOf, expiryFault, termsFault } from './admission.ts'
import { publish } from './feed.ts'
import { heldAsset, holdOf } from './holds.ts'
import type { Keys } from './keys.ts'
import type { Ledger } from './ledger.ts'
import type { Destination, Markets } from './markets.ts'
import type { Memory } from './memory.ts'
import { used } from './state.ts'
import type { Account, AmendedTerms, Order, VaultState } from './state.ts'
import type { Timers } from './timers.ts'

type Filled = Extract<PairReport, { kind: 'filled' }>
/** What a market says of an order that is open. */
type OrderReport = Exclude<PairReport, { kind: 'swept' | 'amendRefused' | 'timed' }>

/** The orders of the accounts of one vault actor: what holds a reservation, and what became of it. */
export class Orders {
  readonly #state: VaultState
  readonly #ledger: Ledger
  readonly #memory: Memory
  readonly #keys: Keys
  readonly #timers: Timers
  readonly #markets: Markets

  constructor(state: VaultState, ledger: Ledger, memory: Memory, keys: Keys, timers: Timers, markets: Markets) {
    this.#state = state
    this.#ledger = ledger
    this.#memory = memory
    this.#keys = keys
    this.#timers = timers
    this.#markets = markets
  }

  /** Reserves and passes on, in which case the pair actor answers; or refuses, and nothing is remembered. */
  place(place: PlaceOrder, reply: ReplyTo, effects: Effects): void {
    // Who may not act for the account is told nothing of its orders, not even that a message was seen before.
    const signer = this.#keys.fault(place, place.market, effects.time)
    if (signer !== null) return effects.answer(reply, { refused: signer })
    const seen = this.#state.orders.get(place.id)
    if (used(this.#state, place.id)) return effects.answer(reply, repeated(place.account, seen))

    const admitted = this.#admit(place, effects)
    if (typeof admitted === 'string') return effects.answer(reply, { refused: admitted })
    const { account, destination, cost } = admitted
    this.#timers.placing(account, place.signer, place.market, effects)
    const order = this.#take(place, cost.amount, effects)
    const before = account.named.get(order.clientOrderId)
    if (before !== undefined) before.latest = false
    account.named.set(order.clientOrderId, order)
    account.open.set(order.id, order)
    this.#state.orders.set(order.id, order)
    const { account: owner, signer: key, id, side, ticks, lots, spend, timeInForce, terms, expires } = place
    const { number } = order
    const message: PairMessage = {
      kind: 'place', order: id, number, account: owner, signer: key === owner ? null : key, side, ticks, lots, spend, timeInForce, mayRest: place.type === 'limit', terms, expires,
      created: effects.time, reply,
    }
    effects.send(destination.actor, message)
  }

  /**
   * Passes on what may still be open, in which case the pair actor answers. A cancel that comes twice does no harm; one by client order id is remembered, so that
   * coming late it does not take another order back that has the id by then.
   */
  cancel(cancel: CancelOrder, reply: ReplyTo, effects: Effects): void {
    const order = this.#cancelled(cancel)
    const longest_s = cancel.clientOrderId === null ? Infinity : this.#markets.longestLifetime_s
    const fault = this.#keys.fault(cancel, order?.market ?? 'somewhere', effects.time) ?? expiryFault(cancel.expires, longest_s, effects.time)
    if (fault !== null) return effects.answer(reply, { refused: fault })
    if (order === undefined) return effects.answer(reply, { refused: 'order_unknown' })
    if (order.reason !== null) return effects.answer(reply, { refused: 'order_not_open', found: orderState(order) })
    const destination = this.#markets.known(order.market)
    if (!this.#markets.takesCancels(destination, effects)) return effects.answer(reply, { refused: 'market_unavailable' })
    if (cancel.clientOrderId !== null && !this.#state.cancels.has(cancel.id)) {
      this.#state.cancels.set(cancel.id, { account: order.account, order: order.id })
      this.#memory.keep(cancel.id, cancel.expires, effects.time)
    }
    const message: PairMessage = { kind: 'cancel', order: order.id, number: order.number, account: order.account, reply }
    effects.send(destination.actor, message)
  }

  /** What a pair actor says of an order: each exactly once, in the order it happened. */
  report(from: ActorName, report: OrderReport, effects: Effects): void {
    const order = this.#state.orders.get(report.order)
    assert(order !== undefined && order.reason === null, 'a market reports on orders that are open')
    assert(order.account === report.account, 'a market reports to the account that placed the order')
    const { market, actor } = this.#markets.known(order.market)
    assert(from === actor, 'only the market an order was sent to reports on it')
    const account = this.#ledger.known(order.account)
    order.updated = report.time
    switch (report.kind) {
      case 'rested':
        assert(order.status === 'pending', 'an order comes to rest once')
        order.status = 'open'
        return publish(account, { type: 'order', order: orderView(order, market) }, effects)
      case 'filled':
        return this.#filled(account, order, report, market, effects)
      case 'reduced':
        // An order by budget has no total of its own.
        if (order.spend > 0n) return
        order.lots = (order.lots - report.lots) as Lots
        assert(order.lots >= order.filledLots, 'no more than what is open is taken off an order')
        this.hold(account, order, market)
        return publish(account, { type: 'order', order: orderView(order, market) }, effects)
      case 'amended':
        order.ticks = report.ticks
        order.lots = report.lots
        order.amends = order.amends.filter(({ id }) => id !== report.amend)
        this.hold(account, order, market)
        return publish(account, { type: 'order', order: orderView(order, market) }, effects)
      case 'closed':
        return this.#closed(account, order, report.reason, market, effects)
    }
  }

  /** Gives back what an open order no longer needs. */
  hold(account: Account, order: Order, market: Market): void {
    const held = holdOf(order, market)
    assert(held <= order.reserved, 'what becomes of an order needs no more than is held for it')
    this.#ledger.release(account, heldAsset(order, market), order.reserved - held)
    order.reserved = held
  }

  /** Holds what an order may need once it is amended, or says that it is not there. */
  holdMore(account: Account, order: Order, market: Market, more: AmendedTerms): boolean {
    const missing = holdOf(order, market, more) - order.reserved
    if (missing > 0n && !this.#ledger.reserve(account, heldAsset(order, market), missing)) return false
    if (missing > 0n) order.reserved += missing
    return true
  }

  /** Forgets a closed order, or a cancel, whose message has expired. */
  forget(id: MessageId): void {
    this.#state.cancels.delete(id)
    const order = this.#state.orders.get(id)
    if (order === undefined) return
    assert(order.reason !== null, 'only closed orders are forgotten')
    if (order.latest) this.#ledger.known(order.account).named.delete(order.clientOrderId)
    this.#state.orders.delete(id)
  }

  find(account: AccountId, id: OrderId): Answer<OrderState> {
    const order = this.ownedBy(account, id)
    return order === undefined ? { refused: 'order_unknown' } : { ok: orderState(order) }
  }

  findByClientId(account: AccountId, clientOrderId: string): Answer<OrderState> {
    const order = this.#ledger.account(account)?.named.get(clientOrderId)
    return order === undefined ? { refused: 'order_unknown' } : { ok: orderState(order) }
  }

  /** An order, if it is the account's: another one's is as if it were not there. */
  ownedBy(account: AccountId, id: OrderId): Order | undefined {
    const order = this.#state.orders.get(id)
    return order?.account === account ? order : undefined
  }

  /** Newest first: open ones, or also those closed last. Reads a bounded number however many orders an account ever had. A page begins behind an order that is remembered, open or not. */
  list({ account: id, market, open: openOnly, limit, before }: Extract<VaultQuery, { kind: 'orders' }>): Answer<readonly OrderState[]> {
    const account = this.#ledger.account(id)
    const older = before === undefined ? Infinity : this.ownedBy(id, before)?.number
    if (older === undefined) return { refused: 'order_unknown' }
    if (account === undefined) return { ok: [] }
    const orders = [...account.open.values()]
    if (!openOnly) {
      for (const closed of account.closed.slice(-limits.listedOrders)) {
        const order = this.#state.orders.get(closed)
        if (order !== undefined) orders.push(order)
      }
      orders.sort((a, b) => a.number - b.number)
    }
    const listed: OrderState[] = []
    const most = Math.min(limit, limits.listedOrders)
    for (let at = orders.length - 1; at >= 0 && listed.length < most; at--) {
      const order = orders[at]
      if (order !== undefined && order.number < older && (market === null || order.market === market)) listed.push(orderState(order))
    }
    return { ok: listed }
  }

  /** All that are pending or open, oldest first: as many as an account may have. */
  standing(id: AccountId): readonly OrderState[] {
    return Array.from(this.#ledger.account(id)?.open.values() ?? [], orderState)
  }

  #admit(place: PlaceOrder, effects: Effects): ErrorCode | { account: Account; destination: Destination; cost: { asset: ContractId; amount: Amount } } {
    const destination = this.#markets.find(place.market)
    if (destination === undefined) return 'market_unknown'
    const { market } = destination
    const fault = expiryFault(place.expires, market.rules.maxLifetime_s, effects.time) ?? termsFault(place, market)
    if (fault !== null) return fault
    const account = this.#ledger.account(place.account)
    if (account === undefined) return 'account_unknown'
    if (account.open.size >= limits.openOrdersPerAccount) return 'open_orders_exceeded'
    if (account.named.get(place.clientOrderId)?.reason === null) return 'client_order_id_in_use'
    if (!this.#markets.takesOrders(destination, effects)) return 'market_unavailable'
    const cost = costOf(place, market)
    return this.#ledger.reserve(account, cost.asset, cost.amount) ? { account, destination, cost } : 'funds_insufficient'
  }

  #take(place: PlaceOrder, reserved: Amount, effects: Effects): Order {
    const { id, clientOrderId, account, market, side, type, ticks, lots, spend, timeInForce, terms, expires } = place
    const number = ++this.#state.orderCount
    const nothingYet = { status: 'pending', reason: null, filledLots: 0 as Lots, filledQuote: 0n as Amount } as const
    const { time } = effects
    const asked = { id, clientOrderId, account, market, side, type, ticks, lots, spend, timeInForce, terms, expires }
    return { ...asked, ...nothingYet, created: time, updated: time, number, latest: true, reserved, amends: [] }
  }

  /** The order that a cancel means: of one by client order id, what it meant when it first came. */
  #cancelled({ id, account, order, clientOrderId }: CancelOrder): Order | undefined {
    if (order !== null) return this.ownedBy(account, order)
    const seen = this.#state.cancels.get(id)
    if (seen !== undefined) return seen.account === account ? this.ownedBy(account, seen.order) : undefined
    return clientOrderId === null ? undefined : this.#ledger.account(account)?.named.get(clientOrderId)
  }

  #filled(account: Account, order: Order, fill: Filled, market: Market, effects: Effects): void {
    const { base, quote } = market.rules
    assert(fill.base === market.baseAmount(fill.lots) && fill.quote === market.quoteAmount(fill.ticks, fill.lots), 'a fill has exact amounts')
    const better = order.side === 'buy' ? fill.ticks <= order.ticks : fill.ticks >= order.ticks
    assert(better || order.spend > 0n, 'a fill is no worse than its order')
    assert(order.spend > 0n || order.filledLots + fill.lots <= order.lots, 'a fill is covered by what its order holds')
    const received = order.side === 'buy' ? fill.base : fill.quote
    assert(fill.fee >= 0n && fill.fee <= received, 'a fee is taken from what the order receives')
    order.filledLots = (order.filledLots + fill.lots) as Lots
    order.filledQuote = (order.filledQuote + fill.quote) as Amount
    this.hold(account, order, market)
    if (order.side === 'buy') this.#ledger.trade(account, quote.contract, fill.quote, base.contract, received - fill.fee)
    else this.#ledger.trade(account, base.contract, fill.base, quote.contract, received - fill.fee)
    const charged = order.side === 'buy' ? base : quote
    const shown = {
      price: market.formatPrice(fill.ticks), quantity: market.formatQuantity(fill.lots), quote: formatAmount(fill.quote, quote),
      fee: formatAmount(fill.fee, charged), feeAsset: charged.code,
    }
    publish(account, { type: 'fill', trade: fill.trade, order: order.id, market: order.market, side: order.side, role: fill.role, ...shown }, effects)
  }

  #closed(account: Account, order: Order, reason: CloseReason, market: Market, effects: Effects): void {
    // What a budget did not spend is left over even when it bought all it could; nothing else is left of a filled order.
    assert(reason !== 'filled' || order.spend > 0n || order.amends.length > 0 || order.reserved === 0n, 'a filled order holds nothing')
    this.#ledger.release(account, heldAsset(order, market), order.reserved)
    order.reserved = 0n
    // Amends that are still on their way will find it closed.
    order.amends = []
    order.status = closedStatus(reason)
    order.reason = reason
    account.open.delete(order.id)
    account.closed.push(order.id)
    // Cut in big steps: each costs as much as the list is long.
    if (account.closed.length >= 2 * limits.listedOrders) account.closed = account.closed.slice(-limits.listedOrders)
    this.#memory.keep(order.id, order.expires, effects.time)
    publish(account, { type: 'order', order: orderView(order, market) }, effects)
  }
}

/** The answer to a message that was seen before: its order as it stands, never a second one. */
function repeated(account: AccountId, seen: Order | undefined): Answer<OrderState> {
  return seen?.account === account ? { ok: orderState(seen) } : { refused: 'message_reused' }
}

/** A copy without what is the vault actor's own. */
export function orderState(order: Order): OrderState {
  const { number: _number, latest: _latest, reserved: _reserved, amends: _amends, ...state } = order
  return state
}
