import type { TimeView } from './views/venue.ts'

/** The venue's clock, by which messages expire, as far as it can be told from this machine's: it may be hours off, as those of laptops and containers are. */
export class VenueClock {
  #ahead_ms = 0
  #known = false

  /** Venue's time in milliseconds since the Unix epoch. */
  get now_ms(): number {
    return Date.now() + this.#ahead_ms
  }

  get known(): boolean {
    return this.#known
  }

  /** Compares clocks. What the answer takes on its way is taken for equal both ways. */
  async compare(ask: () => Promise<TimeView>): Promise<void> {
    const asked_ms = Date.now()
    const { unix_ms } = await ask()
    this.#ahead_ms = unix_ms - (asked_ms + Date.now()) / 2
    this.#known = true
  }

  /** One of the clocks was set meanwhile: a message that should have been good was not. */
  doubt(): void {
    this.#known = false
  }
}
