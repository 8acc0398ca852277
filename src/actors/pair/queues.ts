import assert from 'node:assert/strict'
import { IntegerSet } from '../integerSet.ts'

/** A place in a queue, owned by the thing that waits, so that it can leave from anywhere in one step. */
export class Link<Item> {
  readonly item: Item
  previous: Link<Item> | null = null
  next: Link<Item> | null = null

  constructor(item: Item) {
    this.item = item
  }
}

/** First in, first out. It exists only while something waits, so there is always a first and a last. */
interface Queue<Item> {
  first: Link<Item>
  last: Link<Item>
}

/** Queues in the order of their keys (unsigned 32-bit): the price levels of one side of a book, or its expiries. */
export class Queues<Item> {
  readonly #byKey = new Map<number, Queue<Item>>()
  readonly #keys = new IntegerSet()

  get lowest(): number | undefined {
    return this.#keys.first
  }
  get highest(): number | undefined {
    return this.#keys.last
  }
  above(key: number): number | undefined {
    return this.#keys.after(key)
  }
  below(key: number): number | undefined {
    return this.#keys.before(key)
  }

  /** Who waits longest under `key`. */
  head(key: number): Link<Item> | undefined {
    return this.#byKey.get(key)?.first
  }

  append(key: number, link: Link<Item>): void {
    assert(link.previous === null && link.next === null, 'a link waits in one queue at a time')
    const queue = this.#byKey.get(key)
    if (queue === undefined) {
      this.#byKey.set(key, { first: link, last: link })
      this.#keys.add(key)
      return
    }
    link.previous = queue.last
    queue.last.next = link
    queue.last = link
  }

  remove(key: number, link: Link<Item>): void {
    const queue = this.#byKey.get(key)
    assert(queue !== undefined, 'a link is removed from the queue that it waits in')
    if (queue.first === link && queue.last === link) {
      this.#byKey.delete(key)
      this.#keys.delete(key)
      return
    }
    if (link.previous === null) queue.first = link.next ?? queue.first
    else link.previous.next = link.next
    if (link.next === null) queue.last = link.previous ?? queue.last
    else link.next.previous = link.previous
    link.previous = null
    link.next = null
  }
}
