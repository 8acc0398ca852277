import type { NatsConnection, Subscription } from '@nats-io/transport-node'
import { HEARD_WITHIN_MS } from '../operation/heardStatuses.ts'
import { decode } from '../protocol/codec.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { Venue } from '../protocol/venue.ts'

/** A take-over after a death lasts as long as the lease and the doubt about it; an actor that nobody has for longer is not between owners. */
const BETWEEN_OWNERS_MS = 15_000

/** Hears that an actor runs; `newOwner` where another one did before. */
export type RunningListener = (actor: ActorName, newOwner: boolean) => void

interface Heard {
  readonly epoch: number
  readonly at_ms: number
  readonly running: boolean
  readonly backlog: number
}

/** What the actors of the venue say of themselves: which run, and since when under another owner. */
export class Owners {
  readonly #actors: readonly ActorName[]
  readonly #heard = new Map<ActorName, Heard>()
  readonly #listeners: RunningListener[] = []
  /** Those that said last that the chain does not continue what they remember. */
  readonly #diverged = new Set<ActorName>()
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
        this.#hear(status)
      },
    })
  }

  /** Calls for every word of an actor that runs. */
  onRunning(listener: RunningListener): void {
    this.#listeners.push(listener)
  }

  /** Actors that are not known to run, in the venue's order. */
  missing(now_ms: number): ActorName[] {
    return this.#actors.filter((actor) => {
      const heard = this.#heard.get(actor)
      return heard === undefined || !heard.running || heard.at_ms < now_ms - HEARD_WITHIN_MS
    })
  }

  /** Whether an actor that has no owner at this moment had one lately: another one is to be expected. */
  expected(actor: ActorName, now_ms: number): boolean {
    const heard = this.#heard.get(actor)
    return heard !== undefined && heard.at_ms >= now_ms - BETWEEN_OWNERS_MS
  }

  /** Whether the chain is known not to continue what the venue remembers. */
  get diverged(): boolean {
    return this.#diverged.size > 0
  }

  /** Inputs that waited for an actor when it last spoke. */
  backlog(actor: ActorName): number {
    return this.#heard.get(actor)?.backlog ?? 0
  }

  close(): void {
    this.#subscription.unsubscribe()
  }

  #hear({ actor, epoch, state, backlog, alarms }: ActorStatus): void {
    const before = this.#heard.get(actor)
    const running = state === 'running'
    // Whoever says it: owners of a state that was set back count from a lower epoch than those that were heard before.
    if (alarms.some(({ kind }) => kind === 'chain_diverged')) this.#diverged.add(actor)
    // An owner that replays does not know yet how manieth it is; one that was replaced, and does not know that, still speaks.
    if (before !== undefined && (running ? epoch < before.epoch : epoch !== before.epoch)) return
    this.#heard.set(actor, { epoch, at_ms: Date.now(), running, backlog })
    if (running && alarms.every(({ kind }) => kind !== 'chain_diverged')) this.#diverged.delete(actor)
    if (running) for (const listener of this.#listeners) listener(actor, before !== undefined && epoch > before.epoch)
  }
}
