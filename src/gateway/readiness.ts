import type { NatsConnection, Subscription } from '@nats-io/transport-node'
import { decode } from '../protocol/codec.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { Venue } from '../protocol/venue.ts'

/** Actors speak every second: three missed words make a silence. */
const HEARD_WITHIN_MS = 3_000

/** Which actors of the venue said lately that they run. */
export class Readiness {
  readonly #actors: readonly ActorName[]
  readonly #running = new Map<ActorName, number>()
  readonly #subscription: Subscription

  constructor(connection: NatsConnection, venue: Venue) {
    this.#actors = venue.actors
    this.#subscription = connection.subscribe(venue.subjects.allStatus, {
      callback: (failure, message) => {
        if (failure !== null) return
        let status: ActorStatus
        try {
          status = decode<ActorStatus>(message.data)
        } catch {
          // Whoever wrote that did not say that it runs: it stays missing, and /ready names it.
          return
        }
        if (status.state === 'running') this.#running.set(status.actor, Date.now())
        else this.#running.delete(status.actor)
      },
    })
  }

  /** Actors that are not known to run, in the venue's order. */
  missing(now_ms: number): ActorName[] {
    return this.#actors.filter((actor) => (this.#running.get(actor) ?? -Infinity) < now_ms - HEARD_WITHIN_MS)
  }

  close(): void {
    this.#subscription.unsubscribe()
  }
}
