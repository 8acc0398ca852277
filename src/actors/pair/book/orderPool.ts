import assert from 'node:assert/strict'
import { condition } from './terms.ts'
import type { Condition, NewOrder, SelfTrade, Side } from './terms.ts'

/**
 * Where the members of an order stand in the 16 words (64 bytes, one cache line) of its slot. Words 0–1 are the id and 14–15 the rank, each
 * one double; each pair of links makes a ring.
 */
export const word = {
  account: 2,
  ticks: 3,
  open: 4,
  filled: 5,
  flags: 6,
  levelNext: 7,
  levelPrevious: 8,
  accountNext: 9,
  accountPrevious: 10,
  expiryNext: 11,
  expiryPrevious: 12,
  expires: 13,
} as const

const WORDS = 16
const DOUBLES = 8
const RANK = 7
/** Flags: side 1 bit, self-trade mode 2, condition 2, post-only 1, return-remainder 1. */
const flag = { selfTradeShift: 1, conditionShift: 3, postOnly: 32, returns: 64 } as const

/** Slots are added by doubling up to this many, then by this many, so that a step never copies much more than it adds. */
const STEP = 262_144

/**
 * All orders of a book in one typed array: a slot is a number, 0 is none. Nothing is allocated for an order; freed slots are used again.
 * It keeps what an order says and knows nothing of what it means.
 */
export class OrderPool {
  words: Int32Array
  doubles: Float64Array
  /** By slot; made when the first order with a minimum comes. */
  #minimums: Int32Array | null = null
  readonly #most: number
  #capacity: number
  /** Slots ever used: those beyond are untouched. */
  #used = 0
  /** Freed slots, chained through their account word. */
  #free = 0

  /** Room for `most` orders at once; grows to it in steps. */
  constructor(most: number) {
    assert(Number.isSafeInteger(most) && most >= 1 && most < 2 ** 27, 'a pool has room for 1 … 2^27 orders')
    this.#most = most
    this.#capacity = Math.min(most, 1_024)
    const buffer = new ArrayBuffer((this.#capacity + 1) * WORDS * 4)
    this.words = new Int32Array(buffer)
    this.doubles = new Float64Array(buffer)
  }

  /** Bytes held. */
  get bytes(): number {
    return this.words.byteLength + (this.#minimums?.byteLength ?? 0)
  }

  /** Slots ever used are 1 … this. */
  get used(): number {
    return this.#used
  }

  take(order: NewOrder): number {
    const slot = this.#reserve()
    const { words } = this
    const at = slot << 4
    this.doubles[slot * DOUBLES] = order.id
    words[at + word.account] = order.account
    words[at + word.ticks] = order.ticks
    words[at + word.open] = order.lots
    words[at + word.filled] = 0
    words[at + word.flags] =
      order.side | (order.selfTrade << flag.selfTradeShift) | (order.condition << flag.conditionShift) | (order.postOnly ? flag.postOnly : 0) | (order.returnRemainder ? flag.returns : 0)
    words[at + word.expires] = order.expires
    if (order.minimum !== 0) this.#setMinimum(slot, order.minimum)
    return slot
  }

  /** For a snapshot: an order in the middle of its life. */
  restore(id: number, account: number, ticks: number, open: number, filled: number, flags: number, minimum: number, expires: number): number {
    const slot = this.#reserve()
    const { words } = this
    const at = slot << 4
    this.doubles[slot * DOUBLES] = id
    words[at + word.account] = account
    words[at + word.ticks] = ticks
    words[at + word.open] = open
    words[at + word.filled] = filled
    words[at + word.flags] = flags
    words[at + word.expires] = expires
    if (minimum !== 0) this.#setMinimum(slot, minimum)
    return slot
  }

  give(slot: number): void {
    this.words[(slot << 4) + word.account] = this.#free
    this.#free = slot
  }

  id(slot: number): number {
    return this.doubles[slot * DOUBLES]!
  }
  rank(slot: number): number {
    return this.doubles[slot * DOUBLES + RANK]!
  }
  setRank(slot: number, rank: number): void {
    this.doubles[slot * DOUBLES + RANK] = rank
  }
  flags(slot: number): number {
    return this.words[(slot << 4) + word.flags]!
  }
  /** For aggregate and perCounterparty conditions. */
  minimum(slot: number): number {
    return this.#minimums === null ? 0 : this.#minimums[slot]!
  }

  #reserve(): number {
    const slot = this.#free
    if (slot !== 0) {
      this.#free = this.words[(slot << 4) + word.account]!
      return slot
    }
    if (this.#used === this.#capacity) this.#grow()
    return ++this.#used
  }

  #grow(): void {
    assert(this.#capacity < this.#most, 'a full book was refused before')
    this.#capacity = Math.min(this.#most, this.#capacity < STEP ? this.#capacity * 2 : this.#capacity + STEP)
    const buffer = new ArrayBuffer((this.#capacity + 1) * WORDS * 4)
    const words = new Int32Array(buffer)
    words.set(this.words)
    this.words = words
    this.doubles = new Float64Array(buffer)
    if (this.#minimums !== null) this.#growMinimums(this.#minimums)
  }

  #setMinimum(slot: number, minimum: number): void {
    const minimums = this.#minimums ?? this.#growMinimums(null)
    minimums[slot] = minimum
  }

  #growMinimums(old: Int32Array | null): Int32Array {
    const minimums = new Int32Array(this.#capacity + 1)
    if (old !== null) minimums.set(old)
    this.#minimums = minimums
    return minimums
  }
}

/** What the flags of an order say. */
export const sideOf = (flags: number): Side => (flags & 1) as Side
export const selfTradeOf = (flags: number): SelfTrade => ((flags >>> flag.selfTradeShift) & 3) as SelfTrade
export const conditionOf = (flags: number): Condition => ((flags >>> flag.conditionShift) & 3) as Condition
export const isConditional = (flags: number): boolean => (flags & (3 << flag.conditionShift)) !== condition.none
export const isPostOnly = (flags: number): boolean => (flags & flag.postOnly) !== 0
export const returnsRemainder = (flags: number): boolean => (flags & flag.returns) !== 0
