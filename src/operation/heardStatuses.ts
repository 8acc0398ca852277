import { systemClock } from '../actors/runtime/clock.ts'
import type { Clock } from '../actors/runtime/clock.ts'
import type { Transport } from '../actors/runtime/transport.ts'
import { decode } from '../protocol/codec.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { Subjects } from '../protocol/subjects.ts'

/** Actors speak every second: three missed words make a silence. */
export const HEARD_WITHIN_MS = 3_000

/** What the actors of a venue say of themselves. */
export class HeardStatuses {
  readonly #clock: Clock
  readonly #heard = new Map<ActorName, { readonly status: ActorStatus; readonly at_ms: number }>()
  readonly #listeners = new Set<(status: ActorStatus) => void>()
  readonly #unsubscribe: () => void

  constructor(transport: Transport, subjects: Subjects, clock = systemClock) {
    this.#clock = clock
    this.#unsubscribe = transport.subscribe(subjects.allStatus, (data) => this.#read(data))
  }

  /** The last word of each actor that is not silent. */
  get all(): readonly ActorStatus[] {
    const since_ms = this.#clock.passed() - HEARD_WITHIN_MS
    return [...this.#heard.values()].filter(({ at_ms }) => at_ms >= since_ms).map(({ status }) => status)
  }

  /** Calls for each word that counts, until the function it gives back is called. */
  on(listener: (status: ActorStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  close(): void {
    this.#unsubscribe()
  }

  #read(data: Uint8Array): void {
    let status: ActorStatus
    try {
      status = decode<ActorStatus>(data)
    } catch {
      // Whoever wrote that has said nothing of an actor, which is silent until it speaks.
      return
    }
    this.#hear(status)
  }

  #hear(status: ActorStatus): void {
    const now_ms = this.#clock.passed()
    const before = this.#heard.get(status.actor)
    // One that was replaced and does not know it still speaks; one that replays does not know yet how manieth owner it is.
    if (before !== undefined && before.at_ms >= now_ms - HEARD_WITHIN_MS && before.status.state === 'running' && status.epoch < before.status.epoch) return
    this.#heard.set(status.actor, { status, at_ms: now_ms })
    for (const listener of this.#listeners) listener(status)
  }
}
