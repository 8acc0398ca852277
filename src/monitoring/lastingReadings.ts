import type { Readings } from './meters.ts'

/** Meters are read no more often than this, however many ask, and wherever: nobody can watch orders come one by one. */
const LAST_MS = 5_000

/** What the threads of a process have to show, for everybody who may see it. */
export class LastingReadings {
  readonly #read: () => Promise<readonly Readings[]>
  readonly #last_ms: number
  #made: Promise<readonly Readings[]> | null = null
  #at_ms = 0

  /** @param last_ms how long they are good for */
  constructor(read: () => Promise<readonly Readings[]>, last_ms = LAST_MS) {
    this.#read = read
    this.#last_ms = last_ms
  }

  /** The same for all who ask while it lasts. What failed is read anew for the next who asks. */
  latest(): Promise<readonly Readings[]> {
    const now_ms = performance.now()
    if (this.#made !== null && now_ms - this.#at_ms < this.#last_ms) return this.#made
    this.#at_ms = now_ms
    const made = this.#read()
    this.#made = made
    made.catch(() => (this.#made = null))
    return made
  }
}
