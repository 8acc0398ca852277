import { calm } from './faults.ts'
import type { Circumstances } from './circumstances.ts'
import type { Disturbances } from './disturbances.ts'
import type { World } from './world.ts'

/** One actor, or everything but the chain, for longer than any timer runs, any message is good for and any id is remembered (venue.ts, traders.ts). */
const AWAY_s = { actor: { least: 100, most: 180 }, venue: { least: 3_600, most: 3 * 3_600 } } as const
/** How much later than its time a timer may be looked at, by the clock of the market that has it. */
const NOTICED_ms = 2_000

/** Somebody who is away for long, once nobody sends anything new any more: what was promised before must hold meanwhile and after. In one run of three there is somebody. */
export class Absence {
  readonly #circumstances: Circumstances
  readonly #world: World
  readonly #disturbances: Disturbances
  readonly #who: keyof typeof AWAY_s | null
  readonly #span_us: number

  constructor(circumstances: Circumstances, world: World, disturbances: Disturbances) {
    this.#circumstances = circumstances
    this.#world = world
    this.#disturbances = disturbances
    const random = circumstances.random.fork('absence')
    this.#who = random.pick([null, null, null, null, 'actor', 'venue'] as const)
    const { least, most } = this.#who === null ? { least: 0, most: 0 } : AWAY_s[this.#who]
    this.#span_us = random.between(least, most) * 1_000_000
  }

  /** Runs the world until everybody may come back; nothing else goes wrong meanwhile. */
  async pass(run: (more: () => boolean) => Promise<void>): Promise<void> {
    const { scheduler, faults, plan } = this.#circumstances
    if (this.#who === null) return
    faults.add(`${this.#who} away`)
    const until_us = scheduler.now_us + this.#span_us
    this.#circumstances.plan = calm
    this.#disturbances.end()
    this.#world.leave(this.#who, until_us)
    await run(() => scheduler.now_us < until_us)
    this.#look()
    this.#world.traders.repeat()
    this.#circumstances.plan = plan
    this.#disturbances.begin()
  }

  /** Whoever was here has acted on every timer by itself (docs/decisions/0016). */
  #look(): void {
    for (const { actor, current, market } of this.#world.posts) {
      if (market !== null && current?.running === true) this.#world.promises.check(actor, market, current.host.clock.now() - NOTICED_ms)
    }
  }
}
