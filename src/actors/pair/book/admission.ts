import assert from 'node:assert/strict'
import { assertExact } from './fees.ts'
import type { Matching } from './matching.ts'
import { isPostOnly, sideOf, word } from './orderPool.ts'
import type { RestingOrders } from './resting.ts'
import { condition, marketState, refusal, side, timeInForce } from './terms.ts'
import type { BookRules, MarketState, NewOrder } from './terms.ts'

const MOST = 0x7fffffff
const whole = (value: number, least: number, most: number): boolean => Number.isSafeInteger(value) && value >= least && value <= most

/** What a market takes: its bounds, its state and its price band. Says why not, in the order of docs/matching.md. */
export class Admission {
  state: MarketState = marketState.open
  lowTicks = 1
  highTicks: number
  readonly #rules: BookRules
  readonly #resting: RestingOrders
  readonly #matching: Matching

  constructor(rules: BookRules, resting: RestingOrders, matching: Matching) {
    assert(whole(rules.minLots, 1, rules.maxLots) && whole(rules.maxLots, 1, MOST), 'an order has 1 … 2^31 − 1 lots')
    assert(whole(rules.maxTicks, 1, MOST), 'a price has 1 … 2^31 − 1 ticks')
    assert(whole(rules.maxValue, 1, Number.MAX_SAFE_INTEGER), 'a value is below 2^53')
    assert(whole(rules.maxOrdersPerAccount, 1, MOST) && whole(rules.maxConditionalOrders, 0, MOST), 'numbers of orders are below 2^31')
    if (rules.fees !== null) assertExact(rules, rules.fees)
    this.#rules = rules
    this.#resting = resting
    this.#matching = matching
    this.highTicks = rules.maxTicks
  }

  control(state: MarketState, lowTicks: number, highTicks: number): void {
    this.state = state
    this.lowTicks = lowTicks
    this.highTicks = highTicks
  }

  /** Why a new order is refused whatever it would trade, or 0. */
  fault(order: NewOrder): number {
    // The condition first: a call of assert for each order would cost as much as finding its price level.
    if (!(order.id >= 1 && order.id <= Number.MAX_SAFE_INTEGER)) assert.fail('an id is 1 … 2^53 − 1')
    if (order.expires >>> 0 !== order.expires || order.expires === 0xffffffff) assert.fail('an expiry is an unsigned 32-bit number of seconds')
    if (order.account >>> 0 !== order.account) assert.fail('an account is an unsigned 32-bit number')
    if (this.#resting.find(order.id) !== 0) return refusal.id_in_use
    if (this.state !== marketState.open) return this.#closed()
    if (conflicting(order)) return refusal.conditions_conflict
    const bounded = order.budget !== 0
    const price = bounded ? 0 : this.#priceFault(order.ticks)
    if (price !== 0) return price
    const quantity = this.#quantityFault(order.lots)
    if (quantity !== 0) return quantity
    if (order.minimum > order.lots) return refusal.minimum_exceeds_quantity
    if ((bounded ? order.budget : order.ticks * order.lots) > this.#rules.maxValue) return refusal.value_too_large
    if (order.postOnly && this.#matching.meets(order.side, order.ticks, order.lots)) return refusal.post_only_would_trade
    return 0
  }

  /** Why there is no room for an order that may rest and is not filled whole at once, or 0. */
  room(slot: number, order: NewOrder): number {
    const rules = this.#rules
    const resting = this.#resting
    let fault = 0
    if (resting.accounts.count(order.account) >= rules.maxOrdersPerAccount) fault = refusal.account_orders_exceeded
    else if (resting.size >= rules.maxOrders) fault = refusal.market_full
    else if (order.condition !== condition.none && resting.conditional >= rules.maxConditionalOrders) fault = refusal.conditional_orders_exceeded
    return fault === 0 || this.#matching.fillable(slot, order.lots, true) === order.lots ? 0 : fault
  }

  /** Why an amend is refused, or 0; slot 0 is no such order of that account. */
  amendFault(slot: number, ticks: number, lots: number): number {
    if (this.state !== marketState.open) return this.#closed()
    if (slot === 0) return refusal.order_not_open
    const price = this.#priceFault(ticks)
    if (price !== 0) return price
    const quantity = this.#quantityFault(lots)
    if (quantity !== 0) return quantity
    if (ticks * lots > this.#rules.maxValue) return refusal.value_too_large
    const { words } = this.#resting.pool
    const at = slot << 4
    const open = lots - words[at + word.filled]!
    if (open <= 0) return refusal.amend_too_late
    const flags = words[at + word.flags]!
    if (!isPostOnly(flags) || (words[at + word.ticks] === ticks && open <= words[at + word.open]!)) return 0
    return this.#matching.meets(sideOf(flags), ticks, open) ? refusal.post_only_would_trade : 0
  }

  #closed(): number {
    return this.state === marketState.halted ? refusal.market_halted : refusal.market_cancel_only
  }

  #priceFault(ticks: number): number {
    if (!(ticks >= 1 && ticks <= this.#rules.maxTicks)) return refusal.price_out_of_range
    return ticks >= this.lowTicks && ticks <= this.highTicks ? 0 : refusal.price_outside_band
  }

  #quantityFault(lots: number): number {
    if (!(lots >= this.#rules.minLots)) return refusal.quantity_too_small
    return lots <= this.#rules.maxLots ? 0 : refusal.quantity_too_large
  }
}

/** Whether what the order asks for cannot be together. */
function conflicting(order: NewOrder): boolean {
  const { condition: kind, minimum, timeInForce: time, budget } = order
  const rests = time === timeInForce.rest
  if (kind === condition.none && budget === 0) return minimum !== 0 || order.returnRemainder || (order.postOnly && !rests)
  if (budget !== 0) return order.side !== side.buy || time !== timeInForce.ioc || order.ticks !== 0 || kind !== condition.none || minimum !== 0 || order.postOnly || order.returnRemainder
  if (order.postOnly) return true
  if (kind === condition.allOrNone) return !rests || minimum !== 0 || order.returnRemainder
  return time === timeInForce.fok || minimum === 0
}
