import type { ActorName } from '../protocol/identity.ts'
import { limits } from '../protocol/limits.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { Clock } from './runtime/clock.ts'
import type { FoundFault } from './runtime/journalFault.ts'
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
  /** Its journal was found at fault once. */
  readonly doubted?: boolean
}

export interface SnapshotScheduleParts {
  readonly status: () => Promise<readonly ActorStatus[]>
  readonly control: SnapshotControl
  /** Ends an actor: what its journal leads to, by another machine, is not what it became, or it leads to nothing any more. */
  readonly distrust: (actor: ActorName, fault: FoundFault) => Promise<void>
  readonly clock: Clock
  readonly log: Log
  readonly bounds?: SnapshotBounds
}

/** Looks now and then how far the actors of a shard have come since their last snapshots, and has the next ones taken, one at a time. */
export class SnapshotSchedule {
  readonly #status: () => Promise<readonly ActorStatus[]>
  readonly #control: SnapshotControl
  readonly #clock: Clock
  readonly #log: Log
  readonly #bounds: SnapshotBounds
  readonly #distrust: (actor: ActorName, fault: FoundFault) => Promise<void>
  readonly #marks = new Map<ActorName, Mark>()
  #cancel = (): void => undefined
  #stopped = false

  constructor({ status, control, distrust, clock, log, bounds = { records: limits.snapshotRecords, bytes: limits.snapshotBytes } }: SnapshotScheduleParts) {
    this.#status = status
    this.#control = control
    this.#clock = clock
    this.#log = log
    this.#bounds = bounds
    this.#distrust = distrust
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
      if ('fault' in taken) return await this.#faulted(actor, taken.fault)
      this.#marks.set(actor, { snapshot: taken.snapshot, bytes, notBefore: 0 })
      this.#log.info('snapshots', 'taken', { actor, records: taken.snapshot, took_ms: this.#clock.now() - began })
    } catch (error) {
      this.#log.error('snapshots', 'no snapshot can be taken', { actor, reason: sentence(error) })
      this.#marks.set(actor, { snapshot: restored, bytes: 0, notBefore: this.#clock.now() + failed_ms })
    }
  }

  /**
   * Either the owner is not what its journal says, or it could not come back from this journal: the longer it goes on, the more it promises that will be gone. So
   * it ends, if a second reading says the same: what comes of a store that was just changing its leader has passed by then.
   */
  async #faulted(actor: ActorName, fault: FoundFault): Promise<void> {
    const { kind, record, what } = fault
    const ids = { actor, kind, ...(record !== null && { record }), reason: what }
    if (this.#marks.get(actor)?.doubted !== true) {
      this.#log.warn('snapshots', 'a journal is found at fault; it is read once more', ids)
      this.#marks.set(actor, { snapshot: 0, bytes: 0, notBefore: 0, doubted: true })
      return
    }
    this.#log.error('snapshots', 'a journal is at fault: its actor is ended, and starts again only if its journal can be replayed', ids)
    this.#marks.set(actor, { snapshot: 0, bytes: 0, notBefore: this.#clock.now() + failed_ms })
    await this.#distrust(actor, fault)
  }
}
