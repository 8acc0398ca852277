import assert from 'node:assert/strict'
import type { RestingOrder } from '../../../src/actors/pair/book/book.ts'
import { condition, side, timeInForce } from '../../../src/actors/pair/book/terms.ts'
import type { BookEvent, BookRules, NewOrder, Side } from '../../../src/actors/pair/book/terms.ts'

type Known = { -readonly [Member in keyof RestingOrder]: RestingOrder[Member] } & {
  readonly timeInForce: number
  readonly budget: number
  /** Total that was accepted, and what became of it. */
  accepted: number
  reduced: number
  cancelled: number
  expired: number
  resting: boolean
}
type Filled = Extract<BookEvent, { event: 'filled' }>

/**
 * Somebody who hears the events of a market and nothing else. From them alone the whole book can be known; and whatever the book promises to everybody can
 * be checked: that is done here, without a model of matching.
 */
export class Stranger {
  readonly #rules: BookRules
  readonly #orders = new Map<number, Known>()
  /** By side and price, in order of time. */
  readonly #queues = [new Map<number, Known[]>(), new Map<number, Known[]>()] as const

  constructor(rules: BookRules) {
    this.#rules = rules
  }

  resting(which: Side): RestingOrder[] {
    const queues = [...this.#queues[which]].sort(([a], [b]) => (which === side.buy ? b - a : a - b))
    return queues.flatMap(([, queue]) => queue.map(plain))
  }

  /** The events of one command. */
  hear(events: readonly BookEvent[]): void {
    let run: Filled[] = []
    let comesIn: number | null = null
    for (const event of events) {
      if (event.event === 'accepted' || event.event === 'amended') comesIn = event.id
      if (event.event === 'filled') {
        if (run.length > 0 && run[0]?.taker !== event.taker) run = this.#ran(run)
        this.#filled(event, comesIn)
        run.push(event)
        continue
      }
      // What prevention and returned remainders do to makers happens in the middle of an execution.
      const amidst = (event.event === 'cancelled' && event.id !== run[0]?.taker) || event.event === 'reduced'
      if (run.length > 0 && !amidst) run = this.#ran(run)
      this.#hear(event)
    }
    if (run.length > 0) this.#ran(run)
    for (const [id, order] of this.#orders) if (!order.resting) this.#account(id, order)
  }

  #hear(event: Exclude<BookEvent, Filled>): void {
    switch (event.event) {
      case 'accepted':
        return this.#accepted(event)
      case 'rested': {
        const order = this.#known(event.id)
        assert(!order.resting && order.ticks === event.ticks && order.open === event.open && order.open > 0, 'what rests is what was said')
        assert(order.timeInForce === timeInForce.rest, 'only orders that may rest do')
        order.resting = true
        const queue = this.#queues[order.side].get(order.ticks)
        if (queue === undefined) this.#queues[order.side].set(order.ticks, [order])
        else queue.push(order)
        return
      }
      case 'reduced': {
        const order = this.#known(event.id)
        order.open -= event.by
        order.reduced += event.by
        assert(order.open === event.open && event.by >= 0, 'a reduction says what is left')
        return
      }
      case 'amended': {
        const order = this.#known(event.id)
        this.#leave(order)
        order.accepted += event.open - order.open
        order.open = event.open
        order.ticks = event.ticks
        return
      }
      case 'cancelled': {
        const order = this.#known(event.id)
        assert.equal(event.open, order.open)
        order.cancelled += order.open
        order.open = 0
        return this.#end(order)
      }
      case 'expired': {
        const order = this.#known(event.id)
        assert(order.resting && order.expires !== 0 && event.open === order.open, 'what expires rested')
        order.expired += order.open
        order.open = 0
        return this.#end(order)
      }
      case 'rejected': {
        const order = this.#orders.get(event.id)
        if (event.command !== 0 && order !== undefined && order.account === event.account) {
          assert.deepEqual([event.open, event.filled], [order.open, order.filled], 'a refusal says what was found')
        }
        return
      }
      case 'controlled':
    }
  }

  #accepted(order: Readonly<NewOrder>): void {
    assert(!this.#orders.has(order.id), 'an id is used by one order at a time')
    const { lots, ...terms } = order
    this.#orders.set(order.id, { ...terms, open: lots, filled: 0, accepted: lots, reduced: 0, cancelled: 0, expired: 0, resting: false })
  }

  #filled(event: Filled, comesIn: number | null): void {
    const maker = this.#known(event.maker)
    const taker = this.#known(event.taker)
    const { lots, ticks } = event
    assert(maker.resting && maker.side !== taker.side && taker.side === event.takerSide && lots > 0, 'a taker meets who rests opposite')
    assert(maker.account === event.makerAccount && taker.account === event.takerAccount && maker.account !== taker.account, 'nobody trades with himself')
    assert.equal(ticks, maker.ticks)
    if (taker.budget === 0) assert(taker.side === side.buy ? ticks <= taker.ticks : ticks >= taker.ticks, 'no fill is worse than its limit')
    assert(taker.resting ? taker.condition !== condition.none : taker.id === comesIn, 'a taker comes in, or has waited for its condition')
    assert(!taker.postOnly, 'a post-only order never takes')
    this.#first(maker, taker)
    assert(maker.condition !== condition.allOrNone || lots === maker.open, 'all or none')
    if (maker.condition === condition.aggregate) assert(lots >= Math.min(maker.minimum, maker.open), 'a minimum is met')
    for (const order of [maker, taker]) if (order.condition === condition.perCounterparty) assert(lots >= order.minimum || order.open < order.minimum, 'every fill meets the minimum')
    this.#fees(event)
    for (const order of [maker, taker]) {
      order.open -= lots
      order.filled += lots
      assert(order.open >= 0, 'nobody trades more than he has')
    }
    assert.deepEqual([event.makerOpen, event.takerOpen], [maker.open, taker.open])
    if (maker.open === 0) this.#end(maker)
  }

  /** No plain order of somebody else stood before the maker, unless the taker's own minimum passed it over. */
  #first(maker: Known, taker: Known): void {
    if (taker.condition === condition.perCounterparty) return
    for (const [ticks, queue] of this.#queues[maker.side]) {
      const worse = maker.side === side.buy ? ticks < maker.ticks : ticks > maker.ticks
      if (worse) continue
      const ahead = ticks === maker.ticks ? queue.slice(0, queue.indexOf(maker)) : queue
      assert(!ahead.some((other) => other.condition === condition.none && other.account !== taker.account), 'better price first, then first come')
    }
  }

  /** Fills of one taker in a row: one execution, or several that each kept the rule. */
  #ran(run: readonly Filled[]): Filled[] {
    const [first] = run
    const taker = this.#known(first!.taker)
    const lots = run.reduce((sum, fill) => sum + fill.lots, 0)
    if (taker.condition === condition.allOrNone) assert.equal(taker.open, 0, 'all or none')
    if (taker.condition === condition.aggregate) assert(lots >= Math.min(taker.minimum, taker.open + lots), 'a minimum is met')
    if (taker.timeInForce === timeInForce.fok) assert(taker.open === 0, 'fill or kill')
    if (taker.budget > 0) assert(run.reduce((sum, fill) => sum + BigInt(fill.lots) * BigInt(fill.ticks), 0n) <= BigInt(taker.budget), 'a budget is not exceeded')
    if (taker.open === 0) this.#end(taker)
    return []
  }

  #fees(event: Filled): void {
    const { fees } = this.#rules
    if (fees === null) return assert.deepEqual([event.makerFee, event.takerFee], [0, 0])
    const [base, quote] = [BigInt(event.lots) * BigInt(fees.lotSize), BigInt(event.lots) * BigInt(event.ticks) * BigInt(fees.tickSize)]
    const up = (amount: bigint, rate: number): number => Number((amount * BigInt(rate) + 999_999n) / 1_000_000n)
    const [takes, makes] = event.takerSide === side.buy ? [base, quote] : [quote, base]
    assert.deepEqual([event.makerFee, event.takerFee], [up(makes, fees.maker_ppm), up(takes, fees.taker_ppm)])
  }

  /** Every lot of an order that is over has gone one way. */
  #account(id: number, order: Known): void {
    assert.equal(order.accepted, order.filled + order.reduced + order.cancelled + order.expired)
    this.#orders.delete(id)
  }

  #end(order: Known): void {
    if (order.resting) this.#leave(order)
  }

  #leave(order: Known): void {
    order.resting = false
    const queue = this.#queues[order.side].get(order.ticks)
    assert(queue !== undefined && queue.includes(order), 'who leaves stood there')
    if (queue.length === 1) this.#queues[order.side].delete(order.ticks)
    else queue.splice(queue.indexOf(order), 1)
  }

  #known(id: number): Known {
    const order = this.#orders.get(id)
    assert(order !== undefined, 'events concern orders that were accepted')
    return order
  }
}

function plain(order: Known): RestingOrder {
  const { id, account, side: which, ticks, open, filled, postOnly, condition: kind, minimum, returnRemainder, selfTrade, expires } = order
  return { id, account, side: which, ticks, open, filled, postOnly, condition: kind, minimum, returnRemainder, selfTrade, expires }
}
