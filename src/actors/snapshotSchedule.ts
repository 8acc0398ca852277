import type { ActorName } from '../protocol/identity.ts'
import { limits } from '../protocol/limits.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { Clock } from './runtime/clock.ts'
import { sentence } from './runtime/log.ts'
import type { Log } from './runtime/log.ts'
import type { SnapshotControl } from './snapshotControl.ts'

const check_ms = 5_000
/** A snapshot that failed is not tried again at once: it costs a replay. */
const failed_ms = 60_000

export interface SnapshotBounds {
  /** Journal records, and bytes of them, after which the next snapshot is due. */
  readonly records: number
  readonly bytes: number
}

/** What an actor's journal had come to at its last snapshot. */
interface Mark {
  readonly snapshot: number
  /** Of its owner's count, which begins anew with each owner. */
  readonly bytes: number
  readonly notBefore: number
}

/** Looks now and then how far the actors of a shard have come since their last snapshots, and has the next ones taken, one at a time. */
export class SnapshotSchedule {
  readonly #status: () => Promise<readonly ActorStatus[]>
  readonly #control: SnapshotControl
  readonly #clock: Clock
  readonly #log: Log
  readonly #bounds: SnapshotBounds
  readonly #marks = new Map<ActorName, Mark>()
  #cancel = (): void => undefined
  #stopped = false

  constructor(status: () => Promise<readonly ActorStatus[]>, control: SnapshotControl, clock: Clock, log: Log, bounds: SnapshotBounds = { records: limits.snapshotRecords, bytes: limits.snapshotBytes }) {
    this.#status = status
    this.#control = control
    this.#clock = clock
    this.#log = log
    this.#bounds = bounds
    this.#later()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #later(): void {
    if (!this.#stopped) this.#cancel = this.#clock.after(check_ms, () => void this.#check())
  }

  async #check(): Promise<void> {
    try {
      for (const status of await this.#status()) if (!this.#stopped && status.state === 'running' && this.#due(status)) await this.#take(status)
    } catch (error) {
      this.#log.warn('snapshots', 'the actors cannot be asked', { reason: sentence(error) })
    }
    this.#later()
  }

  #due({ actor, records, restored, bytes }: ActorStatus): boolean {
    const mark = this.#marks.get(actor)
    if (mark !== undefined && this.#clock.now() < mark.notBefore) return false
    // The count of bytes is of this owner, who may have begun from a newer snapshot than the one that is remembered.
    const since = mark !== undefined && mark.snapshot > restored && mark.bytes <= bytes ? mark : { snapshot: restored, bytes: 0 }
    return records - since.snapshot >= this.#bounds.records || bytes - since.bytes >= this.#bounds.bytes
  }

  async #take({ actor, restored, bytes }: ActorStatus): Promise<void> {
    const began = this.#clock.now()
    try {
      const taken = await this.#control.take(actor)
      this.#marks.set(actor, { snapshot: taken.snapshot, bytes, notBefore: 0 })
      this.#log.info('snapshots', 'taken', { actor, records: taken.snapshot, took_ms: this.#clock.now() - began })
    } catch (error) {
      // The actor runs on: what it says is what it journaled. But it would not come back from this journal.
      this.#log.error('snapshots', 'no snapshot can be taken', { actor, reason: sentence(error) })
      this.#marks.set(actor, { snapshot: restored, bytes: 0, notBefore: this.#clock.now() + failed_ms })
    }
  }
}
