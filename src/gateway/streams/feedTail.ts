import type { FeedItem } from './feedItem.ts'

/** The newest messages of a feed, with consecutive numbers: bounded in number and size, the oldest leave first. */
export class FeedTail {
  readonly #mostItems: number
  readonly #mostBytes: number
  #items: FeedItem[] = []
  /** Items before this are gone; cut off now and then, since each cut costs as much as the list is long. */
  #start = 0
  #bytes = 0

  constructor(mostItems: number, mostBytes: number) {
    this.#mostItems = mostItems
    this.#mostBytes = mostBytes
  }

  /** Number of the oldest that is here; undefined where there is none. */
  get first(): number | undefined {
    return this.#items[this.#start]?.seq
  }

  push(item: FeedItem): void {
    this.#items.push(item)
    this.#bytes += item.text.length
    while (this.#items.length - this.#start > this.#mostItems || this.#bytes > this.#mostBytes) this.#bytes -= this.#items[this.#start++]!.text.length
    if (this.#start <= this.#mostItems) return
    this.#items = this.#items.slice(this.#start)
    this.#start = 0
  }

  clear(): void {
    this.#items = []
    this.#start = 0
    this.#bytes = 0
  }

  /** Those behind a number, oldest first; null where some of them are gone. */
  after(seq: number): readonly FeedItem[] | null {
    const { first } = this
    if (first === undefined || first > seq + 1) return null
    return this.#items.slice(this.#start + seq + 1 - first)
  }
}
