import { setTimeout as delay } from 'node:timers/promises'
import type { ServerProcess } from '../../scripts/venue/serverProcess.ts'
import type { LocalVenue } from '../../scripts/venue/localVenue.ts'
import type { Dice } from '../pair/book/randomCommands.ts'

const pause_ms = { least: 300, most: 2_500 }

/** Kills parts of a venue at random, one after the other, and starts again what does not start by itself. */
export class Killer {
  readonly killed = new Map<string, number>()
  readonly #venue: LocalVenue
  readonly #dice: Dice
  readonly #actors: readonly string[]

  constructor(venue: LocalVenue, actors: readonly string[], dice: Dice) {
    this.#venue = venue
    this.#actors = actors
    this.#dice = dice
  }

  async kill(until: () => boolean): Promise<void> {
    while (!until()) {
      await delay(pause_ms.least + this.#dice.below(pause_ms.most - pause_ms.least))
      await this.#one()
    }
  }

  async #one(): Promise<void> {
    const node = this.#dice.from(this.#venue.nodes)
    const which = this.#dice.below(12)
    if (which === 0) await this.#restart(node.nats)
    else if (which === 1) await this.#restart(node.shard)
    else if (which < 4) await this.#restart(node.gateway)
    else {
      const actor = this.#dice.from(this.#actors)
      this.#count(actor)
      this.#venue.terminate(actor)
    }
  }

  async #restart(server: ServerProcess): Promise<void> {
    this.#count(server.plan.name)
    await server.kill()
    // Long enough, now and then, for others to take over what it had.
    await delay(this.#dice.below(this.#venue.nodes.length === 1 ? 800 : 8_000))
    await server.start()
  }

  #count(what: string): void {
    this.killed.set(what, (this.killed.get(what) ?? 0) + 1)
  }
}
