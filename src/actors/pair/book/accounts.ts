import assert from 'node:assert/strict'
import { word } from './orderPool.ts'
import type { OrderPool } from './orderPool.ts'

const SMALLEST = 256
const MOST_TAKEN = 0.5

/**
 * The resting orders of each account, as a ring through their slots in no order, and how many they are. Open addressing from account to entry; accounts
 * without orders are not kept.
 */
export class Accounts {
  readonly #pool: OrderPool
  /** The account of each entry, and the head of its ring; 0 where the entry is free. */
  #keys = new Int32Array(SMALLEST)
  #heads = new Int32Array(SMALLEST)
  #counts = new Int32Array(SMALLEST)
  #mask = SMALLEST - 1
  #shift = Math.clz32(SMALLEST) + 1
  #size = 0

  constructor(pool: OrderPool) {
    this.#pool = pool
  }

  get bytes(): number {
    return this.#keys.byteLength + this.#heads.byteLength + this.#counts.byteLength
  }
  /** Accounts that have orders. */
  get size(): number {
    return this.#size
  }

  count(account: number): number {
    return this.#counts[this.#find(account)]!
  }

  /** One of the account's orders, from which `word.accountNext` leads through all of them; 0 where it has none. */
  head(account: number): number {
    return this.#heads[this.#find(account)]!
  }

  add(account: number, slot: number): void {
    const { words } = this.#pool
    const entry = this.#find(account)
    const head = this.#heads[entry]!
    const at = slot << 4
    this.#counts[entry] = this.#counts[entry]! + 1
    if (head === 0) {
      this.#keys[entry] = account
      this.#heads[entry] = slot
      words[at + word.accountNext] = slot
      words[at + word.accountPrevious] = slot
      if (++this.#size > this.#heads.length * MOST_TAKEN) this.#grow()
      return
    }
    const last = words[(head << 4) + word.accountPrevious]!
    words[at + word.accountNext] = head
    words[at + word.accountPrevious] = last
    words[(last << 4) + word.accountNext] = slot
    words[(head << 4) + word.accountPrevious] = slot
  }

  remove(account: number, slot: number): void {
    const { words } = this.#pool
    const entry = this.#find(account)
    const at = slot << 4
    const next = words[at + word.accountNext]!
    if (this.#heads[entry] === 0) assert.fail('an order that rests is among those of its account')
    if (next === slot) return this.#drop(entry)
    const previous = words[at + word.accountPrevious]!
    words[(previous << 4) + word.accountNext] = next
    words[(next << 4) + word.accountPrevious] = previous
    if (this.#heads[entry] === slot) this.#heads[entry] = next
    this.#counts[entry] = this.#counts[entry]! - 1
  }

  /** The entry of the account, or the free one where it belongs. */
  #find(account: number): number {
    const heads = this.#heads
    const keys = this.#keys
    for (let at = this.#home(account); ; at = (at + 1) & this.#mask) if (heads[at] === 0 || keys[at] === (account | 0)) return at
  }

  #home(account: number): number {
    return Math.imul(account, 0x9e3779b1) >>> this.#shift
  }

  #drop(entry: number): void {
    const keys = this.#keys
    const heads = this.#heads
    const counts = this.#counts
    const mask = this.#mask
    this.#size--
    let hole = entry
    for (let at = (hole + 1) & mask; heads[at] !== 0; at = (at + 1) & mask) {
      if (((at - this.#home(keys[at]!)) & mask) < ((at - hole) & mask)) continue
      keys[hole] = keys[at]!
      heads[hole] = heads[at]!
      counts[hole] = counts[at]!
      hole = at
    }
    heads[hole] = 0
    counts[hole] = 0
  }

  #grow(): void {
    const keys = this.#keys
    const heads = this.#heads
    const counts = this.#counts
    this.#keys = new Int32Array(heads.length * 2)
    this.#heads = new Int32Array(heads.length * 2)
    this.#counts = new Int32Array(heads.length * 2)
    this.#mask = this.#heads.length - 1
    this.#shift--
    for (let entry = 0; entry < heads.length; entry++) {
      if (heads[entry] === 0) continue
      const place = this.#find(keys[entry]!)
      this.#keys[place] = keys[entry]!
      this.#heads[place] = heads[entry]!
      this.#counts[place] = counts[entry]!
    }
  }
}
