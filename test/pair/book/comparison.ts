import assert from 'node:assert/strict'
import { Book } from '../../../src/actors/pair/book/book.ts'
import { decodeEvents } from '../../../src/actors/pair/book/events.ts'
import type { BookEvent, BookRules } from '../../../src/actors/pair/book/terms.ts'
import { give } from './randomCommands.ts'
import type { BookCommand } from './randomCommands.ts'
import { SlowBook } from './slowBook.ts'
import { Stranger } from './stranger.ts'

/** The book, the slow book and a stranger who hears only events, given the same commands and held against each other after each. */
export class Comparison {
  book: Book
  readonly slow: SlowBook
  readonly #rules: BookRules
  readonly #stranger: Stranger

  constructor(rules: BookRules) {
    this.#rules = rules
    this.book = new Book(rules)
    this.slow = new SlowBook(rules)
    this.#stranger = new Stranger(rules)
  }

  /** @throws AssertionError at the first difference, or where something that must hold does not */
  step(command: BookCommand): BookEvent[] {
    give(command, this.slow)
    give(command, this.book)
    const expected = this.slow.take()
    const events = decodeEvents(this.book.events)
    this.book.events.clear()
    // Comparing text is several times faster; the slow comparison then says where they differ.
    if (JSON.stringify(events) !== JSON.stringify(expected)) assert.deepEqual(events, expected)
    this.#stranger.hear(events)
    return events
  }

  /** What rests is the same for all three, and all that must hold inside the book does. */
  look(): void {
    this.book.check()
    assert.equal(this.book.size, this.slow.orders.length)
    for (const side of [0, 1] as const) {
      const resting = [...this.book.resting(side)]
      assert.deepEqual(resting, this.slow.resting(side).map(({ came: _came, ...order }) => order))
      assert.deepEqual(this.#stranger.resting(side), resting)
    }
    if (this.slow.state === 0) assert.deepEqual(this.slow.possible(), [], 'no order waits that could trade')
  }

  /** Goes on with a book that was put down and taken up again. */
  restore(): void {
    const bytes = this.book.snapshot()
    this.book = Book.restore(this.#rules, bytes)
    assert.deepEqual(this.book.snapshot(), bytes, 'the same state has the same bytes')
  }
}
