import assert from 'node:assert/strict'
import type { AccountId, Lots, OrderId, Seconds, Side, Ticks } from '../../protocol/identity.ts'
import type { CloseReason } from '../../protocol/pair.ts'
import type { Order } from './order.ts'
import { Queues } from './queues.ts'

/** How an incoming order wants to be treated. */
export interface Handling {
  /** What is left after matching waits in the book (GTC, GTD); otherwise it is returned. */
  readonly rests: boolean
  /** All at once or nothing (FOK). */
  readonly whole: boolean
  /** Most to spend, in ticks × lots, for an order without a price; null for one that has a price. */
  readonly budget: bigint | null
}

/** Hears what happens, in the order in which it happens, after the book has changed. */
export interface BookEvents {
  /** `lots` changed hands at the maker's price. A maker without lots has left the book. */
  traded(taker: Order, maker: Order, lots: Lots): void
  /** The order reached its time and has left the book. */
  expired(order: Order): void
}

/**
 * The orders of one market: best price first, and at one price first come, first served. It knows ticks and lots, not money. Where an
 * order would meet one of its own account, the newer one stops there (cancel newest).
 */
export class Book {
  readonly #orders = new Map<OrderId, Order>()
  readonly #bids = new Queues<Order>()
  readonly #asks = new Queues<Order>()
  readonly #expiries = new Queues<Order>()
  readonly #maxOrders: number

  constructor(maxOrders: number) {
    assert(Number.isSafeInteger(maxOrders) && maxOrders >= 1, 'a book holds at least one order')
    this.#maxOrders = maxOrders
  }

  get size(): number {
    return this.#orders.size
  }

  /** When the next resting order expires, or null. */
  get nextExpiry(): Seconds | null {
    return (this.#expiries.lowest as Seconds | undefined) ?? null
  }

  /** Trades what it can and leaves the rest as `handling` says. Null: the order rests; otherwise why it is closed. */
  place(order: Order, handling: Handling, events: BookEvents): CloseReason | null {
    assert(!this.#orders.has(order.id), 'an order comes in once')
    assert(Number.isInteger(order.lots) && order.lots > 0, 'an order comes with at least one lot')
    assert((handling.budget === null) === order.ticks > 0, 'either a price or a budget bounds an order')
    assert(handling.budget === null || !(handling.rests || handling.whole), 'an order with a budget trades what it can at once')
    if (handling.whole && !this.#fillable(order)) return 'fok_unfillable'
    // In a full market an order must not trade a part and then find no room for the rest: all of it trades, or nothing does.
    if (handling.rests && this.size >= this.#maxOrders && !this.#fillable(order)) return 'market_full'

    const reason = this.#match(order, handling.budget, events)
    assert(!handling.whole || reason === 'filled', 'an order that was found fillable is filled')
    if (reason !== null) return reason
    if (!handling.rests) return 'no_liquidity'
    this.#rest(order)
    return null
  }

  /** Takes a resting order of that account out of the book. */
  cancel(id: OrderId, account: AccountId): Order | undefined {
    const order = this.#orders.get(id)
    if (order?.account !== account) return undefined
    this.#remove(order)
    return order
  }

  /** Takes out every order whose time is not later than `now`: earlier times first, then first come. */
  expire(now: Seconds, events: BookEvents): void {
    for (;;) {
      const due = this.#expiries.lowest
      if (due === undefined || due > now) return
      const order = this.#expiries.head(due)?.item
      assert(order !== undefined, 'a time that is kept has an order that waits for it')
      this.#remove(order)
      events.expired(order)
    }
  }

  /** The resting orders of one side, best first. */
  *resting(side: Side): IterableIterator<Order> {
    for (let ticks = this.#best(side); ticks !== undefined; ticks = this.#nextBest(side, ticks)) {
      for (let link = this.#level(side).head(ticks) ?? null; link !== null; link = link.next) yield link.item
    }
  }

  /** Null: something is left, and nothing more to trade it with at its price. */
  #match(order: Order, budget: bigint | null, events: BookEvents): CloseReason | null {
    const other: Side = order.side === 'buy' ? 'sell' : 'buy'
    let left = budget
    while (order.lots > 0) {
      const ticks = this.#best(other)
      if (ticks === undefined || !accepts(order, ticks)) return null
      const maker = this.#level(other).head(ticks)?.item
      assert(maker !== undefined, 'a level that exists has an order')
      // A level too dear for one lot ends an order with a budget: it has had what its money buys, which may be nothing.
      if (left !== null && left < BigInt(ticks)) return order.filledLots > 0 ? 'filled' : null
      if (maker.account === order.account) return 'self_trade'

      const wanted = left === null ? order.lots : affordable(ticks, left, order.lots)
      const lots = Math.min(wanted, maker.lots) as Lots
      if (left !== null) left -= BigInt(ticks) * BigInt(lots)
      fill(order, lots)
      fill(maker, lots)
      if (maker.lots === 0) this.#remove(maker)
      events.traded(order, maker, lots)
      if (left === 0n) return 'filled'
    }
    return 'filled'
  }

  /** Whether all of the order could trade at once, counting only what it would meet before an order of its own account. */
  #fillable(order: Order): boolean {
    let found = 0
    for (const maker of this.resting(order.side === 'buy' ? 'sell' : 'buy')) {
      if (!accepts(order, maker.ticks) || maker.account === order.account) return false
      found += maker.lots
      if (found >= order.lots) return true
    }
    return false
  }

  #rest(order: Order): void {
    assert(this.size < this.#maxOrders, 'a full book was refused before')
    this.#orders.set(order.id, order)
    this.#level(order.side).append(order.ticks, order.inLevel)
    this.#expiries.append(order.expires, order.inExpiry)
  }

  #remove(order: Order): void {
    this.#orders.delete(order.id)
    this.#level(order.side).remove(order.ticks, order.inLevel)
    this.#expiries.remove(order.expires, order.inExpiry)
  }

  #level(side: Side): Queues<Order> {
    return side === 'buy' ? this.#bids : this.#asks
  }

  #best(side: Side): Ticks | undefined {
    return (side === 'buy' ? this.#bids.highest : this.#asks.lowest) as Ticks | undefined
  }

  #nextBest(side: Side, ticks: Ticks): Ticks | undefined {
    return (side === 'buy' ? this.#bids.below(ticks) : this.#asks.above(ticks)) as Ticks | undefined
  }
}

/** Whether an order may trade at that price; one with a budget may at any. */
function accepts(order: Order, ticks: Ticks): boolean {
  if (order.ticks === 0) return true
  return order.side === 'buy' ? ticks <= order.ticks : ticks >= order.ticks
}

/** The whole lots that a budget pays for at a price, at most `most`. */
function affordable(ticks: Ticks, budget: bigint, most: Lots): Lots {
  const lots = budget / BigInt(ticks)
  return lots < BigInt(most) ? (Number(lots) as Lots) : most
}

function fill(order: Order, lots: Lots): void {
  assert(lots > 0 && lots <= order.lots, 'an order trades at most what it has')
  order.lots = (order.lots - lots) as Lots
  order.filledLots = (order.filledLots + lots) as Lots
}
