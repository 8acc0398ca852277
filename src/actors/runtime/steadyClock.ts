import type { Milliseconds } from '../../protocol/identity.ts'
import type { Clock } from './clock.ts'

/** How fast it goes while it is ahead. */
const PACE_AHEAD = 0.5

/**
 * An actor's own clock: never back, never still. It follows the machine's forward. Where that is set back, or was ahead when the last owner
 * wrote, it goes on from where it is at half its pace until the other has caught up: a clock that stood would hold every deadline
 * and every message to be repeated for as long as the machine's was set back, be it a day.
 */
export class SteadyClock implements Clock {
  readonly #clock: Clock
  #time: number
  #passed: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#time = clock.now()
    this.#passed = clock.passed()
  }

  now(): Milliseconds {
    const passed = this.#clock.passed()
    this.#time = Math.max(this.#clock.now(), this.#time + (passed - this.#passed) * PACE_AHEAD)
    this.#passed = passed
    return Math.floor(this.#time) as Milliseconds
  }

  /** How far it is ahead of the machine's. */
  get ahead_ms(): number {
    return Math.max(0, this.now() - this.#clock.now())
  }

  passed(): number {
    return this.#clock.passed()
  }

  after(delay_ms: number, call: () => void): () => void {
    return this.#clock.after(delay_ms, call)
  }

  /** It is this late already. */
  startFrom(time: Milliseconds): void {
    if (time > this.now()) this.#time = time
  }
}
