/** What was sent in order and may be needed again, by positions that count from 1. */
export class Outbox<Item> {
  #items: Item[]
  /** Items before this index are trimmed. */
  #head = 0
  /** Position of the last trimmed item. */
  #trimmed: number

  constructor(trimmed = 0, items: readonly Item[] = []) {
    this.#trimmed = trimmed
    this.#items = [...items]
  }

  /** Position of the last item that was ever put in; 0 where there was none. */
  get last(): number {
    return this.#trimmed + this.#items.length - this.#head
  }

  get trimmed(): number {
    return this.#trimmed
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  /** Forgets everything up to and including `position`. */
  trim(position: number): void {
    if (position <= this.#trimmed) return
    if (position > this.last) throw new Error(`outbox: position ${position} is beyond the last, ${this.last}`)
    const count = position - this.#trimmed
    // The places are let go at once, the array is moved only when half of it is empty.
    this.#items.fill(undefined as Item, this.#head, this.#head + count)
    this.#head += count
    this.#trimmed = position
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
  }

  /** The items at positions `first` … `last`, both included. */
  slice(first: number, last: number): Item[] {
    if (first <= this.#trimmed || last > this.last) throw new Error(`outbox: positions ${first}–${last} of ${this.#trimmed + 1}–${this.last}`)
    const at = this.#head - this.#trimmed - 1
    return this.#items.slice(at + first, at + last + 1)
  }
}
