import type { Clock } from './clock.ts'
import { Fenced } from './journal.ts'
import { sentence } from './log.ts'
import type { Log } from './log.ts'

const retry_ms = { first: 50, most: 1_000 }

/** The end of one journal in its store, which is all that an append needs to see. */
export interface RecordStore {
  /**
   * Stores the record under `id` if the last one stands at `after`, 0 being none; gives its position.
   * @throws InDoubt where it is not known whether it was stored, or where it may be tried again
   * @throws Error where it is refused for good
   */
  append(record: Uint8Array, id: string, after: number): Promise<number>
  /**
   * Where the last record stands and the id it was stored under; null where there is none.
   * @throws InDoubt where nobody answers
   */
  last(): Promise<{ readonly position: number; readonly id: string } | null>
}

/** The outcome of a call is unknown, or known to be "not now". */
export class InDoubt extends Error {
  constructor(cause: unknown) {
    super(sentence(cause), { cause })
    this.name = 'InDoubt'
  }
}

/** Appends as one owner of a journal, until each is known to be stored or another owner has appended. */
export class Appender {
  readonly #store: RecordStore
  readonly #journal: string
  /** Tells our appends from another owner's when an outcome is read back: never used by another. */
  readonly #writer: string
  readonly #clock: Clock
  readonly #log: Log
  #appends = 0

  constructor(store: RecordStore, journal: string, writer: string, clock: Clock, log: Log) {
    this.#store = store
    this.#journal = journal
    this.#writer = writer
    this.#clock = clock
    this.#log = log
  }

  /**
   * Gives the position of the record, the successor of the one at `after`.
   * @throws Fenced where another owner has appended
   * @throws Error where the store refuses for good
   */
  async append(record: Uint8Array, after: number): Promise<number> {
    const id = `${this.#writer}-${++this.#appends}`
    for (let wait_ms = retry_ms.first; ; wait_ms = Math.min(wait_ms * 2, retry_ms.most)) {
      try {
        return await this.#store.append(record, id, after)
      } catch (error) {
        if (!(error instanceof InDoubt)) throw error
        this.#log.warn('journal', 'an append is in doubt', { reason: error.message })
      }
      // Ours: done. Our predecessor: not there, or not yet. Then the same append goes out again: it names the same predecessor, so
      // that at most one of the two is ever stored.
      const last = await this.#lastPatiently(wait_ms)
      if (last?.id === id) return last.position
      if ((last?.position ?? 0) !== after) throw new Fenced(this.#journal)
      await this.#delay(wait_ms)
    }
  }

  async #lastPatiently(wait_ms: number): ReturnType<RecordStore['last']> {
    for (;;) {
      try {
        return await this.#store.last()
      } catch (error) {
        if (!(error instanceof InDoubt)) throw error
      }
      await this.#delay(wait_ms)
    }
  }

  #delay(wait_ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(wait_ms, resolve))
  }
}
