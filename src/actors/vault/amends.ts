import assert from 'node:assert/strict'
import type { ErrorCode } from '../../protocol/errors.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { Lots, Ticks } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Market } from '../../protocol/market.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import type { PairMessage } from '../../protocol/pair.ts'
import type { AmendOrder, AmendState, OrderState, PairReport } from '../../protocol/vault.ts'
import type { Effects } from '../runtime/machine.ts'
import { expiryFault, rangeFault } from './admission.ts'
import type { Keys } from './keys.ts'
import type { Ledger } from './ledger.ts'
import type { Markets } from './markets.ts'
import type { Memory } from './memory.ts'
import { orderState } from './orders.ts'
import type { Orders } from './orders.ts'
import { used } from './state.ts'
import type { Amend, Order, VaultState } from './state.ts'

type Amended = Extract<PairReport, { kind: 'amended' | 'amendRefused' }>

/**
 * Amends from request to what the market made of them. What an amended order may need is held before the market hears of it; several can be on
 * their way at once.
 */
export class Amends {
  readonly #state: VaultState
  readonly #ledger: Ledger
  readonly #memory: Memory
  readonly #keys: Keys
  readonly #orders: Orders
  readonly #markets: Markets

  constructor(state: VaultState, ledger: Ledger, memory: Memory, keys: Keys, orders: Orders, markets: Markets) {
    this.#state = state
    this.#ledger = ledger
    this.#memory = memory
    this.#keys = keys
    this.#orders = orders
    this.#markets = markets
  }

  /** Holds and passes on, in which case the pair actor answers; or refuses, and nothing is remembered. */
  request(request: AmendOrder, reply: ReplyTo, effects: Effects): void {
    const order = this.#orders.ownedBy(request.account, request.order)
    const signer = this.#keys.fault(request, order?.market ?? 'somewhere', effects.time)
    if (signer !== null) return effects.answer(reply, { refused: signer })
    const seen = this.#state.amends.get(request.id)
    if (seen !== undefined && seen.account === request.account) return effects.answer(reply, this.#repeated(seen))
    if (used(this.#state, request.id)) return effects.answer(reply, { refused: 'message_reused' })
    if (order === undefined) return effects.answer(reply, { refused: 'order_unknown' })
    const destination = this.#markets.known(order.market)
    const { market, actor } = destination
    const read = readTerms(request, market)
    if (typeof read === 'string') return effects.answer(reply, { refused: read })
    const { ticks, lots } = read
    const fault = this.#fault(request, ticks, lots, order, market, effects)
    if (fault !== null) return effects.answer(reply, { refused: fault, found: orderState(order) })
    if (!this.#markets.takesOrders(destination, effects)) return effects.answer(reply, { refused: 'market_unavailable' })
    const { id, account, expires } = request
    if (!this.#orders.holdMore(this.#ledger.known(account), order, market, { id, ticks, lots })) return effects.answer(reply, { refused: 'funds_insufficient' })
    order.amends.push({ id, ticks, lots })
    this.#state.amends.set(id, { id, account, order: order.id, expires, outcome: null })
    const message: PairMessage = { kind: 'amend', amend: id, order: order.id, number: order.number, account, ticks, lots, reply }
    effects.send(actor, message)
  }

  /** What the market made of an amend. A refusal may come after its order has closed. */
  report(report: Amended, effects: Effects): void {
    const amend = this.#state.amends.get(report.amend)
    assert(amend?.outcome === null && amend.order === report.order, 'a market answers an amend once')
    amend.outcome = report.kind === 'amended' ? 'amended' : report.reason
    this.#memory.keep(amend.id, amend.expires, effects.time)
    if (report.kind === 'amended') return
    const order = this.#state.orders.get(report.order)
    if (order === undefined || order.reason !== null) return
    order.amends = order.amends.filter(({ id }) => id !== amend.id)
    this.#orders.hold(this.#ledger.known(order.account), order, this.#markets.known(order.market).market)
  }

  /** Forgets an amend that is done and whose message has expired. */
  forget(id: Amend['id']): void {
    assert(this.#state.amends.get(id)?.outcome !== null, 'only amends that are done are forgotten')
    this.#state.amends.delete(id)
  }

  #fault(request: AmendOrder, ticks: Ticks, lots: Lots, order: Order, market: Market, effects: Effects): ErrorCode | null {
    const fault = expiryFault(request.expires, market.rules.maxLifetime_s, effects.time) ?? rangeFault(ticks, lots, market)
    if (fault !== null) return fault
    if (order.reason !== null || order.type !== 'limit') return 'order_not_open'
    if (lots <= order.filledLots) return 'amend_too_late'
    return order.amends.length >= limits.amendsInFlight ? 'amends_exceeded' : null
  }

  #repeated({ order: id, outcome }: Amend): Answer<AmendState | OrderState> {
    const order = this.#state.orders.get(id)
    if (order === undefined) return { refused: 'order_unknown' }
    const found = orderState(order)
    if (outcome !== null && outcome !== 'amended') return { refused: outcome, found }
    return { ok: { amended: found, waiting: outcome === null } }
  }
}

/** Price and quantity by the market's steps, or why they cannot be read. */
function readTerms({ price, quantity }: AmendOrder, market: Market): { readonly ticks: Ticks; readonly lots: Lots } | ErrorCode {
  try {
    return { ticks: market.parsePrice(price), lots: market.parseQuantity(quantity) }
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}
