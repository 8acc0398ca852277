import assert from 'node:assert/strict'
import type { OrderPool } from './orderPool.ts'

const SMALLEST = 1_024
/** Places looked at to find a free one stay few while no more than this part of the table is taken. */
const MOST_TAKEN = 0.6

/**
 * From an order's id to its slot: open addressing with linear probing. What leaves is filled up by what was pushed past it, so there are no
 * tombstones and the table is as quick after a year as on its first day.
 */
export class IdTable {
  readonly #pool: OrderPool
  #slots = new Int32Array(SMALLEST)
  #mask = SMALLEST - 1
  #shift = Math.clz32(SMALLEST) + 1
  #size = 0

  constructor(pool: OrderPool) {
    this.#pool = pool
  }

  get size(): number {
    return this.#size
  }
  get bytes(): number {
    return this.#slots.byteLength
  }

  /** 0: no such order. */
  find(id: number): number {
    const slots = this.#slots
    const { doubles } = this.#pool
    for (let at = this.#home(id); ; at = (at + 1) & this.#mask) {
      const slot = slots[at]!
      if (slot === 0 || doubles[slot * 8] === id) return slot
    }
  }

  /** The id is not in the table. */
  add(slot: number): void {
    if (this.#size >= this.#slots.length * MOST_TAKEN) this.#grow()
    this.#size++
    this.#put(slot)
  }

  remove(slot: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let hole = this.#home(this.#pool.id(slot))
    while (slots[hole] !== slot) {
      if (slots[hole] === 0) assert.fail('an order that rests is in the table of ids')
      hole = (hole + 1) & mask
    }
    this.#size--
    // Whoever comes later in the same run moves into the hole unless its own home lies behind it.
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const other = slots[at]!
      if (other === 0) break
      if (((at - this.#home(this.#pool.id(other))) & mask) >= ((at - hole) & mask)) {
        slots[hole] = other
        hole = at
      }
    }
    slots[hole] = 0
  }

  #put(slot: number): void {
    const slots = this.#slots
    let at = this.#home(this.#pool.id(slot))
    while (slots[at] !== 0) at = (at + 1) & this.#mask
    slots[at] = slot
  }

  /** Both halves of the id, multiplied by an odd number near 2^32 / golden ratio; the upper bits are the best mixed. */
  #home(id: number): number {
    const low = id | 0
    const high = (id * 2 ** -32) | 0
    return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> this.#shift
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(old.length * 2)
    this.#mask = this.#slots.length - 1
    this.#shift--
    for (const slot of old) if (slot !== 0) this.#put(slot)
  }
}
