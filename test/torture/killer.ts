import { setTimeout as delay } from 'node:timers/promises'
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
    const venue = this.#venue
    const which = this.#dice.below(12)
    if (which === 0) {
      this.#count('nats-server')
      await venue.nats.kill()
      await delay(this.#dice.below(800))
      await venue.nats.start()
    } else if (which === 1) {
      this.#count('shard')
      await venue.shard.kill()
      await venue.shard.start()
    } else if (which < 4) {
      this.#count('gateway')
      await venue.gateway.kill()
      await venue.gateway.start()
    } else {
      const actor = this.#dice.from(this.#actors)
      this.#count(actor)
      venue.terminate(actor)
    }
  }

  #count(what: string): void {
    this.killed.set(what, (this.killed.get(what) ?? 0) + 1)
  }
}
