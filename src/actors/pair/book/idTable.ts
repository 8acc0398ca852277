import assert from 'node:assert/strict'
import type { OrderPool } from './orderPool.ts'

const SMALLEST = 1_024
/** Places looked at to find a free one stay few while no more than this part of the table is taken. */
const MOST_TAKEN = 0.6

/**
 * From an order's id to its slot: open addressing with linear probing. Beside each slot stands the hash of its id, so that a look-up touches no order but the one it
 * finds: in a large book each other one would be a cache miss. What leaves is filled up by what was pushed past it, so there are no
 * tombstones and the table is as quick after a year as on its first day.
 */
export class IdTable {
  readonly #pool: OrderPool
  /** Slot and hash of each place; slot 0 is a free place. */
  #places = new Int32Array(SMALLEST * 2)
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
    return this.#places.byteLength
  }

  /** 0: no such order. */
  find(id: number): number {
    const places = this.#places
    const { doubles } = this.#pool
    const hash = hashOf(id)
    for (let at = hash >>> this.#shift; ; at = (at + 1) & this.#mask) {
      const slot = places[at << 1]!
      if (slot === 0 || (places[(at << 1) | 1] === hash && doubles[slot * 8] === id)) return slot
    }
  }

  /** The id is not in the table. */
  add(slot: number): void {
    if (this.#size >= (this.#mask + 1) * MOST_TAKEN) this.#grow()
    this.#size++
    this.#put(slot, hashOf(this.#pool.id(slot)))
  }

  remove(slot: number): void {
    const places = this.#places
    const mask = this.#mask
    let hole = hashOf(this.#pool.id(slot)) >>> this.#shift
    while (places[hole << 1] !== slot) {
      if (places[hole << 1] === 0) assert.fail('an order that rests is in the table of ids')
      hole = (hole + 1) & mask
    }
    this.#size--
    // Whoever comes later in the same run moves into the hole unless its own home lies behind it.
    for (let at = (hole + 1) & mask; places[at << 1] !== 0; at = (at + 1) & mask) {
      const hash = places[(at << 1) | 1]!
      if (((at - (hash >>> this.#shift)) & mask) < ((at - hole) & mask)) continue
      places[hole << 1] = places[at << 1]!
      places[(hole << 1) | 1] = hash
      hole = at
    }
    places[hole << 1] = 0
  }

  #put(slot: number, hash: number): void {
    const places = this.#places
    let at = hash >>> this.#shift
    while (places[at << 1] !== 0) at = (at + 1) & this.#mask
    places[at << 1] = slot
    places[(at << 1) | 1] = hash
  }

  #grow(): void {
    const old = this.#places
    this.#places = new Int32Array(old.length * 2)
    this.#mask = old.length - 1
    this.#shift--
    for (let at = 0; at < old.length; at += 2) if (old[at] !== 0) this.#put(old[at]!, old[at + 1]!)
  }
}

/** Both halves of the id, multiplied by an odd number near 2^32 / golden ratio; the upper bits are the best mixed. */
function hashOf(id: number): number {
  const low = id | 0
  const high = (id * 2 ** -32) | 0
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1)
}
