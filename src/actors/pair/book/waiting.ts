import { word } from './orderPool.ts'
import type { OrderPool } from './orderPool.ts'

/**
 * The conditional orders that rest on one side, best price first and at one price who came first. Beside each stands how many lots must ever have been added
 * opposite before it is worth another look.
 */
export class WaitingOrders {
  readonly #pool: OrderPool
  /** 1 where a lower price is better, −1 where a higher one is. */
  readonly #direction: 1 | -1
  #slots = new Int32Array(16)
  #thresholds = new Float64Array(16)
  #size = 0

  constructor(pool: OrderPool, direction: 1 | -1) {
    this.#pool = pool
    this.#direction = direction
  }

  get size(): number {
    return this.#size
  }

  slot(index: number): number {
    return this.#slots[index]!
  }
  threshold(index: number): number {
    return this.#thresholds[index]!
  }
  setThreshold(index: number, lots: number): void {
    this.#thresholds[index] = lots
  }

  add(slot: number): void {
    if (this.#size === this.#slots.length) this.#grow()
    const at = this.#place(slot)
    this.#slots.copyWithin(at + 1, at, this.#size)
    this.#thresholds.copyWithin(at + 1, at, this.#size)
    this.#slots[at] = slot
    this.#thresholds[at] = 0
    this.#size++
  }

  remove(slot: number): void {
    const at = this.#place(slot)
    this.#slots.copyWithin(at, at + 1, this.#size)
    this.#thresholds.copyWithin(at, at + 1, this.#size)
    this.#size--
  }

  /** The order itself has changed: it is worth a look. */
  touch(slot: number): void {
    this.#thresholds[this.#place(slot)] = 0
  }

  /** Where the order stands, or belongs. */
  #place(slot: number): number {
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#before(this.#slots[middle]!, slot)) low = middle + 1
      else high = middle
    }
    return low
  }

  #before(one: number, other: number): boolean {
    const { words } = this.#pool
    const difference = (words[(one << 4) + word.ticks]! - words[(other << 4) + word.ticks]!) * this.#direction
    return difference < 0 || (difference === 0 && this.#pool.rank(one) < this.#pool.rank(other))
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    slots.set(this.#slots)
    this.#slots = slots
    const thresholds = new Float64Array(slots.length)
    thresholds.set(this.#thresholds)
    this.#thresholds = thresholds
  }
}
