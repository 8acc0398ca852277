import { word } from './orderPool.ts'
import type { OrderPool } from './orderPool.ts'

/** A reused list of orders to be dealt with one after the other, those that came first, first. */
export class Gathering {
  readonly #pool: OrderPool
  #slots = new Int32Array(64)
  #size = 0

  constructor(pool: OrderPool) {
    this.#pool = pool
  }

  get size(): number {
    return this.#size
  }
  slot(index: number): number {
    return this.#slots[index]!
  }

  /** All orders of the ring of an account in which `head` stands; none where it is 0. */
  ofAccount(head: number): void {
    this.#ring(head, word.accountNext)
  }
  /** All orders that expire in the same second as `head`. */
  ofExpiry(head: number): void {
    this.#ring(head, word.expiryNext)
  }

  clear(): void {
    this.#size = 0
  }

  add(slot: number): void {
    if (this.#size === this.#slots.length) {
      const larger = new Int32Array(this.#slots.length * 2)
      larger.set(this.#slots)
      this.#slots = larger
    }
    this.#slots[this.#size++] = slot
  }

  /** By rank, in place: a heap sort, since the sort of typed arrays allocates when it is given a comparison. */
  sort(): void {
    const slots = this.#slots
    for (let root = (this.#size >>> 1) - 1; root >= 0; root--) this.#sift(root, this.#size)
    for (let end = this.#size - 1; end > 0; end--) {
      const last = slots[end]!
      slots[end] = slots[0]!
      slots[0] = last
      this.#sift(0, end)
    }
  }

  #ring(head: number, next: number): void {
    this.clear()
    if (head === 0) return
    const { words } = this.#pool
    let slot = head
    do {
      this.add(slot)
      slot = words[(slot << 4) + next]!
    } while (slot !== head)
    this.sort()
  }

  #sift(from: number, end: number): void {
    const slots = this.#slots
    const pool = this.#pool
    const slot = slots[from]!
    const rank = pool.rank(slot)
    let at = from
    for (let child = 2 * at + 1; child < end; child = 2 * at + 1) {
      if (child + 1 < end && pool.rank(slots[child + 1]!) > pool.rank(slots[child]!)) child++
      if (pool.rank(slots[child]!) <= rank) break
      slots[at] = slots[child]!
      at = child
    }
    slots[at] = slot
  }
}
