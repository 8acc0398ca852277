import { Refusal } from '../protocol/errors.ts'

/**
 * How many requests the gateway has taken and not yet answered. Beyond the limit a request is refused before anything costly is done
 * for it; while draining every new one is.
 */
export class Admission {
  readonly #limit: number
  #inFlight = 0
  #draining = false
  #emptied: (() => void) | undefined

  constructor(limit: number) {
    if (!(Number.isInteger(limit) && limit > 0)) throw new Error('the in-flight limit must be a positive integer')
    this.#limit = limit
  }

  /** Takes one request; every return of it is paired with exactly one `leave`. @throws Refusal venue_not_ready, venue_overloaded */
  enter(): void {
    if (this.#draining) throw new Refusal('venue_not_ready')
    if (this.#inFlight >= this.#limit) throw new Refusal('venue_overloaded')
    this.#inFlight++
  }

  leave(): void {
    if (this.#inFlight < 1) throw new Error('a request left that never entered')
    this.#inFlight--
    if (this.#inFlight === 0) this.#emptied?.()
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Refuses what comes from now on; resolves when what was taken is answered. */
  drain(): Promise<void> {
    this.#draining = true
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#emptied = resolve
    })
  }
}
