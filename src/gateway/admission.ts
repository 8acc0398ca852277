import { Refusal } from '../protocol/errors.ts'

/**
 * How many requests the gateway has taken and not yet answered. Beyond the limit a request is refused before anything costly is done
 * for it; while draining every new one is.
 */
export class Admission {
  readonly #limit: number
  /** Where only what is urgent is still taken. */
  readonly #urgentOnly: number
  #inFlight = 0
  #draining = false
  #emptied: (() => void) | undefined

  constructor(limit: number) {
    if (!(Number.isInteger(limit) && limit > 0)) throw new Error('the in-flight limit must be a positive integer')
    this.#limit = limit
    this.#urgentOnly = limit - Math.floor(limit / 8)
  }

  /** Takes one request; `urgent` is what takes risk away. Every return of it is paired with exactly one `leave`. @throws Refusal venue_not_ready, venue_overloaded */
  enter(urgent = false): void {
    this.check(urgent)
    this.#inFlight++
  }

  /** Whether one would be taken now: asked before a request is even read. @throws Refusal venue_not_ready, venue_overloaded */
  check(urgent: boolean): void {
    if (this.#draining) throw new Refusal('venue_not_ready')
    if (this.#inFlight >= (urgent ? this.#limit : this.#urgentOnly)) throw new Refusal('venue_overloaded')
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
