import assert from 'node:assert/strict'
import { Admission } from './admission.ts'
import { checkBook } from './check.ts'
import { EventLog } from './events.ts'
import { Gathering } from './gathering.ts'
import { Matching } from './matching.ts'
import { conditionOf, isPostOnly, returnsRemainder, selfTradeOf, sideOf, word } from './orderPool.ts'
import { NONE } from './queues.ts'
import { RestingOrders } from './resting.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { cancellation, command, condition, marketState, reduction, refusal, side, timeInForce } from './terms.ts'
import type { BookRules, Condition, FeeRules, MarketState, NewOrder, SelfTrade, Side, TimeInForce } from './terms.ts'

/** An order that rests, as a reader sees it. */
export interface RestingOrder {
  readonly id: number
  readonly account: number
  readonly side: Side
  readonly ticks: number
  readonly open: number
  readonly filled: number
  readonly postOnly: boolean
  readonly condition: Condition
  readonly minimum: number
  readonly returnRemainder: boolean
  readonly selfTrade: SelfTrade
  readonly expires: number
}

/**
 * One market's book: docs/matching.md. Commands change it and write what happened into `events`, which the caller reads and clears. Pure: the same commands give
 * the same events and the same state anywhere.
 */
export class Book {
  readonly events = new EventLog()
  readonly #rules: BookRules
  readonly #resting: RestingOrders
  readonly #matching: Matching
  readonly #admission: Admission
  readonly #gathering: Gathering

  constructor(rules: BookRules) {
    this.#rules = rules
    this.#resting = new RestingOrders(rules.maxOrders)
    this.#matching = new Matching(this.#resting, this.events, rules.fees)
    this.#admission = new Admission(rules, this.#resting, this.#matching)
    this.#gathering = new Gathering(this.#resting.pool)
  }

  /** @throws Error where the bytes are no snapshot of a book */
  static restore(rules: BookRules, snapshot: Uint8Array): Book {
    const { state, lowTicks, highTicks, orders } = readSnapshot(snapshot)
    const book = new Book({ ...rules, maxOrders: Math.max(rules.maxOrders, orders) })
    book.#admission.control(state, lowTicks, highTicks)
    readSnapshot(snapshot, book.#resting)
    return book
  }

  /** The same state gives the same bytes. `accountOf` gives accounts other numbers there, for a caller whose numbers are accidents of its history. */
  snapshot(accountOf: (account: number) => number = (account) => account): Uint8Array {
    return writeSnapshot(this.#resting, this.#admission, this.#gathering, accountOf)
  }

  /** What is kept of every fill from now on; null for nothing. No part of a snapshot: whoever restores a book says it again. */
  charge(fees: FeeRules | null): void {
    this.#matching.fees = fees
  }

  /** Resting orders. */
  get size(): number {
    return this.#resting.size
  }
  /** Second at which the next order expires; 0 where none does. */
  get nextExpiry(): number {
    const { first } = this.#resting.expiries
    return first === NONE ? 0 : first >>> 0
  }
  get state(): MarketState {
    return this.#admission.state
  }
  /** The price band. */
  get lowTicks(): number {
    return this.#admission.lowTicks
  }
  get highTicks(): number {
    return this.#admission.highTicks
  }
  /** Bytes that the resting orders and what finds them take. */
  get bytes(): number {
    return this.#resting.bytes
  }

  has(id: number): boolean {
    return this.#resting.find(id) !== 0
  }
  ordersOf(account: number): number {
    return this.#resting.accounts.count(account)
  }

  place(order: NewOrder): void {
    const { events } = this
    const fault = this.#admission.fault(order)
    if (fault !== 0) return events.rejected(command.place, order.id, order.account, fault, 0, 0)
    const slot = this.#resting.pool.take(order)
    const noRoom = order.timeInForce === timeInForce.rest ? this.#admission.room(slot, order) : 0
    if (noRoom !== 0) {
      this.#resting.pool.give(slot)
      return events.rejected(command.place, order.id, order.account, noRoom, 0, 0)
    }
    events.accepted(order)
    const limit = order.budget === 0 ? order.ticks : this.#admission.highTicks
    if (!this.#enter(slot, order.timeInForce, limit, order.budget)) this.#resting.pool.give(slot)
    else {
      this.#resting.add(slot)
      events.rested(order.id, order.ticks, this.#resting.pool.words[(slot << 4) + word.open]!)
    }
    if (this.#resting.conditional !== 0) this.#wake()
  }

  cancel(id: number, account: number): void {
    const slot = this.#find(id, account)
    if (this.state === marketState.halted) return this.#reject(command.cancel, id, account, refusal.market_halted, slot)
    if (slot === 0) return this.#reject(command.cancel, id, account, refusal.order_not_open, slot)
    this.#cancel(slot, cancellation.requested)
    if (this.#resting.conditional !== 0) this.#wake()
  }

  /** Ids of the account's orders that rest, those that came first, first. */
  idsOf(account: number): number[] {
    const gathered = this.#gathering
    gathered.ofAccount(this.#resting.accounts.head(account))
    return Array.from({ length: gathered.size }, (_, i) => this.#resting.pool.id(gathered.slot(i)))
  }

  /** Every order of an account, in any state of the market. */
  cancelAll(account: number): void {
    const gathered = this.#gathering
    gathered.ofAccount(this.#resting.accounts.head(account))
    for (let i = 0; i < gathered.size; i++) this.#cancel(gathered.slot(i), cancellation.requested)
    if (this.#resting.conditional !== 0) this.#wake()
  }

  /** `lots` is the new total: what is filled and what is open. */
  amend(id: number, account: number, ticks: number, lots: number): void {
    const resting = this.#resting
    const { words } = resting.pool
    const slot = this.#find(id, account)
    const fault = this.#admission.amendFault(slot, ticks, lots)
    if (fault !== 0) return this.#reject(command.amend, id, account, fault, slot)
    const at = slot << 4
    const had = words[at + word.open]!
    const open = lots - words[at + word.filled]!
    if (words[at + word.ticks] === ticks && open <= had) {
      words[at + word.open] = open
      resting.touched(slot)
      this.events.reduced(id, had - open, open, reduction.amend)
    } else {
      resting.dequeue(slot)
      words[at + word.ticks] = ticks
      words[at + word.open] = open
      this.events.amended(id, ticks, open)
      if (!this.#enter(slot, timeInForce.rest, ticks, 0)) resting.forget(slot)
      else {
        resting.enqueue(slot)
        this.events.rested(id, ticks, words[at + word.open]!)
      }
    }
    if (resting.conditional !== 0) this.#wake()
  }

  /**
   * Takes orders that rest back, each named once, and ends every order whose expiry is not later than `now`, in Unix seconds. In any state of the market, and all of them before
   * others that waited are looked at.
   */
  expire(now: number, lapsed: Iterable<number> = []): void {
    const { pool, expiries } = this.#resting
    const gathered = this.#gathering
    gathered.clear()
    for (const id of lapsed) {
      const slot = this.#resting.find(id)
      assert(slot !== 0, 'an order that is taken back rests')
      gathered.add(slot)
    }
    gathered.sort()
    let any = gathered.size > 0
    for (let i = 0; i < gathered.size; i++) this.#cancel(gathered.slot(i), cancellation.requested)
    while (expiries.first !== NONE && expiries.first >>> 0 <= now) {
      any = true
      gathered.ofExpiry(expiries.head(expiries.first))
      for (let i = 0; i < gathered.size; i++) {
        const slot = gathered.slot(i)
        this.events.expired(pool.id(slot), pool.words[(slot << 4) + word.open]!)
        this.#resting.remove(slot)
      }
    }
    if (any && this.#resting.conditional !== 0) this.#wake()
  }

  /** Opens, restricts or halts the market, and sets the band of prices it takes. */
  control(state: MarketState, lowTicks: number, highTicks: number): void {
    assert(lowTicks >= 1 && lowTicks <= highTicks && highTicks <= this.#rules.maxTicks, 'a price band is within the prices of the market')
    this.#admission.control(state, lowTicks, highTicks)
    this.events.controlled(state, lowTicks, highTicks)
    if (this.#resting.conditional !== 0) this.#wake()
  }

  /** The orders of one side, by priority. */
  *resting(which: Side): IterableIterator<RestingOrder> {
    const resting = this.#resting
    for (let slot = resting.best(which); slot !== 0; slot = resting.following(which, slot)) yield this.#view(slot)
  }

  /** Asserts everything that must hold between commands. Slow: for tests. */
  check(): void {
    checkBook(this.#resting, this.#matching, this.state)
  }

  /** A new or amended order trades what it can. Whether what is left of it rests; otherwise it has ended, and its slot is the caller's to free. */
  #enter(slot: number, time: TimeInForce, limit: number, budget: number): boolean {
    const { pool } = this.#resting
    const at = slot << 4
    const flags = pool.flags(slot)
    const wanted = pool.words[at + word.open]!
    const kind = conditionOf(flags)
    let needed = 0
    if (time === timeInForce.fok || kind === condition.allOrNone) needed = wanted
    else if (kind === condition.aggregate) needed = Math.min(pool.minimum(slot), wanted)

    let ending: number
    if (needed !== 0 && this.#matching.fillable(slot, needed, true) < needed) {
      if (time === timeInForce.rest) return true
      ending = time === timeInForce.fok ? cancellation.fok_unfillable : cancellation.minimum_unmet
    } else {
      ending = this.#matching.execute(slot, limit, budget, true)
    }
    const open = pool.words[at + word.open]!
    if (ending === 0) {
      if (open === 0) return false
      if (time === timeInForce.rest) return true
      ending = cancellation.no_liquidity
    }
    this.events.cancelled(pool.id(slot), open, ending)
    return false
  }

  /** Lets orders trade that waited for what is there now: the first by priority of either side, and of both the one that came first, until none can. */
  #wake(): void {
    if (this.state !== marketState.open) return
    const resting = this.#resting
    const { pool } = resting
    for (;;) {
      const bid = this.#firstPossible(side.buy)
      const ask = this.#firstPossible(side.sell)
      if (bid === 0 && ask === 0) return
      const slot = ask === 0 || (bid !== 0 && pool.rank(bid) < pool.rank(ask)) ? bid : ask
      const ending = this.#matching.execute(slot, pool.words[(slot << 4) + word.ticks]!, 0, false)
      if (ending !== 0) this.#cancel(slot, ending)
      else if (pool.words[(slot << 4) + word.open] === 0) resting.remove(slot)
    }
  }

  /** The first waiting order of a side that can trade as it asks with what rests opposite, or 0. */
  #firstPossible(which: Side): number {
    const resting = this.#resting
    const { pool } = resting
    const waiting = resting.waiting(which)
    const opposite = (which ^ 1) as Side
    const added = resting.added(opposite)
    for (let i = 0; i < waiting.size; i++) {
      if (added < waiting.threshold(i)) continue
      const slot = waiting.slot(i)
      const open = pool.words[(slot << 4) + word.open]!
      const kind = conditionOf(pool.flags(slot))
      const single = kind === condition.perCounterparty
      const smallest = kind === condition.allOrNone ? open : Math.min(pool.minimum(slot), open)
      const enough = single ? 1 : smallest
      const found = this.#matching.fillable(slot, enough, false)
      if (found >= enough) return slot
      // What would have to be added before it can. Among plain orders the walk counts everything, so leaving changes nothing for the better; a
      // conditional order opposite may fit once another has left, so there only all that its price accepts is a bound.
      if (resting.waiting(opposite).size === 0) waiting.setThreshold(i, added + (single ? (open < pool.minimum(slot) ? 1 : smallest) : smallest - found))
      else waiting.setThreshold(i, added + (single ? 0 : smallest - this.#matching.within(slot, smallest)))
    }
    return 0
  }

  #cancel(slot: number, reason: number): void {
    const { pool } = this.#resting
    this.events.cancelled(pool.id(slot), pool.words[(slot << 4) + word.open]!, reason)
    this.#resting.remove(slot)
  }

  /** The slot of an order of that account, or 0. */
  #find(id: number, account: number): number {
    const slot = this.#resting.find(id)
    return slot !== 0 && this.#resting.pool.words[(slot << 4) + word.account] === (account | 0) ? slot : 0
  }

  #reject(what: 1 | 2, id: number, account: number, reason: number, slot: number): void {
    const { words } = this.#resting.pool
    const at = slot << 4
    this.events.rejected(what, id, account, reason, slot === 0 ? 0 : words[at + word.open]!, slot === 0 ? 0 : words[at + word.filled]!)
  }

  #view(slot: number): RestingOrder {
    const { pool } = this.#resting
    const { words } = pool
    const at = slot << 4
    const flags = pool.flags(slot)
    const kind = conditionOf(flags)
    return {
      id: pool.id(slot),
      account: words[at + word.account]! >>> 0,
      side: sideOf(flags),
      ticks: words[at + word.ticks]!,
      open: words[at + word.open]!,
      filled: words[at + word.filled]!,
      postOnly: isPostOnly(flags),
      condition: kind,
      minimum: kind === condition.aggregate || kind === condition.perCounterparty ? pool.minimum(slot) : 0,
      returnRemainder: returnsRemainder(flags),
      selfTrade: selfTradeOf(flags),
      expires: words[at + word.expires]! >>> 0,
    }
  }
}
