import type { AccountId, Milliseconds } from '../protocol/identity.ts'

/** Something that is due at a time, of one key of one account. */
export interface Due {
  readonly account: AccountId
  readonly signer: AccountId
  readonly deadline: Milliseconds
}

/**
 * What is due, the earliest first: a binary heap in which everything knows its place, since most of it is put off again and again and never comes due. Of
 * those due at once the order is that of their names, so that it does not depend on who came first.
 */
export class Deadlines<Item extends Due> {
  readonly #heap: Item[] = []
  readonly #places = new Map<Item, number>()

  get first(): Item | undefined {
    return this.#heap[0]
  }

  /** Adds an item, or moves it where its deadline has changed. */
  put(item: Item): void {
    let at = this.#places.get(item)
    if (at === undefined) at = this.#heap.push(item) - 1
    this.#sink(this.#rise(at, item), item)
  }

  delete(item: Item): void {
    const at = this.#places.get(item)
    if (at === undefined) return
    this.#places.delete(item)
    const last = this.#heap.pop()
    if (last !== undefined && last !== item) this.#sink(this.#rise(at, last), last)
  }

  #rise(from: number, item: Item): number {
    let at = from
    while (at > 0) {
      const above = (at - 1) >>> 1
      const other = this.#heap[above]!
      if (!earlier(item, other)) break
      this.#set(at, other)
      at = above
    }
    return at
  }

  #sink(from: number, item: Item): void {
    const heap = this.#heap
    let at = from
    for (let below = 2 * at + 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && earlier(heap[below + 1]!, heap[below]!)) below++
      const other = heap[below]!
      if (!earlier(other, item)) break
      this.#set(at, other)
      at = below
    }
    this.#set(at, item)
  }

  #set(at: number, item: Item): void {
    this.#heap[at] = item
    this.#places.set(item, at)
  }
}

function earlier(one: Due, other: Due): boolean {
  if (one.deadline !== other.deadline) return one.deadline < other.deadline
  return one.account === other.account ? one.signer < other.signer : one.account < other.account
}
