/** The two clocks of a machine: one that may be set, and one that nobody sets. */
export interface Clocks {
  now(): number
  passed(): number
}

/** How far the clock that may be set has left the other since it was made. */
export class ClockShift {
  readonly #clocks: Clocks
  readonly #distance_ms: number

  constructor(clocks: Clocks = { now: () => Date.now(), passed: () => performance.now() }) {
    this.#clocks = clocks
    this.#distance_ms = clocks.now() - clocks.passed()
  }

  /** Seconds; below 0 where it was set back. */
  get shift_s(): number {
    return (this.#clocks.now() - this.#clocks.passed() - this.#distance_ms) / 1_000
  }
}
