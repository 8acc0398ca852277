import { Accounts } from './accounts.ts'
import { IdTable } from './idTable.ts'
import { isConditional, OrderPool, sideOf, word } from './orderPool.ts'
import { NONE, Queues } from './queues.ts'
import { side } from './terms.ts'
import type { Side } from './terms.ts'
import { WaitingOrders } from './waiting.ts'

/** Highest key of a price: ticks are below 2^31. A better price has a lower key on either side, so bids are kept mirrored. */
const HIGHEST_PRICE = 0x7fffffff
const HIGHEST_TIME = 0xffffffff

/** Every order that rests, found by id, by price and time, by account, by expiry, and by waiting for its condition. */
export class RestingOrders {
  readonly pool: OrderPool
  readonly accounts: Accounts
  readonly expiries: Queues
  readonly #ids: IdTable
  readonly #bids: Queues
  readonly #asks: Queues
  readonly #waitingBids: WaitingOrders
  readonly #waitingAsks: WaitingOrders
  /** Conditional orders that rest. */
  #conditional = 0
  /** Lots that ever came to rest on each side while anyone waited. */
  readonly #added = new Float64Array(2)
  /** Counts who came: an order's place in time. */
  #rank = 0

  constructor(most: number) {
    // One more than may rest: an order that comes in has a slot before it is known whether it will.
    this.pool = new OrderPool(most + 1)
    this.accounts = new Accounts(this.pool)
    this.expiries = new Queues(this.pool, HIGHEST_TIME, word.expiryNext, word.expiryPrevious)
    this.#ids = new IdTable(this.pool)
    this.#bids = new Queues(this.pool, HIGHEST_PRICE, word.levelNext, word.levelPrevious)
    this.#asks = new Queues(this.pool, HIGHEST_PRICE, word.levelNext, word.levelPrevious)
    this.#waitingBids = new WaitingOrders(this.pool, -1)
    this.#waitingAsks = new WaitingOrders(this.pool, 1)
  }

  get size(): number {
    return this.#ids.size
  }
  get conditional(): number {
    return this.#conditional
  }
  get bytes(): number {
    return this.pool.bytes + this.#ids.bytes + this.accounts.bytes + this.expiries.bytes + this.#bids.bytes + this.#asks.bytes
  }

  /** The slot of a resting order, or 0. */
  find(id: number): number {
    return this.#ids.find(id)
  }

  waiting(which: Side): WaitingOrders {
    return which === side.buy ? this.#waitingBids : this.#waitingAsks
  }
  added(which: Side): number {
    return this.#added[which]!
  }

  /** The first order of a side by priority, or 0. */
  best(which: Side): number {
    const levels = which === side.buy ? this.#bids : this.#asks
    return levels.first === NONE ? 0 : levels.head(levels.first)
  }

  /** The order that comes after another of the same side by priority, or 0. */
  following(which: Side, slot: number): number {
    const levels = which === side.buy ? this.#bids : this.#asks
    const key = this.#key(which, slot)
    const next = this.pool.words[(slot << 4) + word.levelNext]!
    if (next !== levels.head(key)) return next
    const worse = levels.after(key)
    return worse === NONE ? 0 : levels.head(worse)
  }

  /** A new order comes to rest. */
  add(slot: number): void {
    const { words } = this.pool
    const at = slot << 4
    this.#ids.add(slot)
    this.accounts.add(words[at + word.account]!, slot)
    const expires = words[at + word.expires]!
    if (expires !== 0) this.expiries.append(expires, slot)
    this.enqueue(slot)
  }

  /** Takes a resting order out altogether; its slot is free again. */
  remove(slot: number): void {
    this.dequeue(slot)
    this.forget(slot)
  }

  /** Takes out an order that has left its queue. */
  forget(slot: number): void {
    const { words } = this.pool
    const at = slot << 4
    this.#ids.remove(slot)
    this.accounts.remove(words[at + word.account]!, slot)
    const expires = words[at + word.expires]!
    if (expires !== 0) this.expiries.remove(expires, slot)
    this.pool.give(slot)
  }

  /** Puts an order last in the queue of its price. */
  enqueue(slot: number): void {
    const flags = this.pool.flags(slot)
    const which = sideOf(flags)
    this.pool.setRank(slot, ++this.#rank)
    ;(which === side.buy ? this.#bids : this.#asks).append(this.#key(which, slot), slot)
    if (isConditional(flags)) {
      this.waiting(which).add(slot)
      this.#conditional++
    }
    if (this.#conditional !== 0) this.#added[which]! += this.pool.words[(slot << 4) + word.open]!
  }

  /** Takes an order out of the queue of its price. */
  dequeue(slot: number): void {
    const flags = this.pool.flags(slot)
    const which = sideOf(flags)
    ;(which === side.buy ? this.#bids : this.#asks).remove(this.#key(which, slot), slot)
    if (!isConditional(flags)) return
    this.waiting(which).remove(slot)
    this.#conditional--
  }

  /** Less of a resting order is open than before. */
  touched(slot: number): void {
    const flags = this.pool.flags(slot)
    if (isConditional(flags)) this.waiting(sideOf(flags)).touch(slot)
  }

  #key(which: Side, slot: number): number {
    const ticks = this.pool.words[(slot << 4) + word.ticks]!
    return which === side.buy ? HIGHEST_PRICE - ticks : ticks
  }
}
