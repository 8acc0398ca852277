import { Refusal } from '../protocol/errors.ts'
import type { ActorName } from '../protocol/identity.ts'
import { limits } from '../protocol/limits.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { Clock } from './runtime/clock.ts'
import type { FoundFault } from './runtime/journalFault.ts'
import { sentence } from './runtime/log.ts'
import type { Log } from './runtime/log.ts'
import type { Snapshotted } from './runtime/snapshotter.ts'
import type { SnapshotControl, Taken } from './snapshotControl.ts'

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
  /** What is stored may be sealed with an older version of the journal key than the current one: it is then stored anew. Default: there is no older version. */
  readonly reseals?: boolean
}

/** Looks now and then how far the actors of a shard have come since their last snapshots, and has the next ones taken, one at a time. */
export class SnapshotSchedule {
  readonly #status: () => Promise<readonly ActorStatus[]>
  readonly #control: SnapshotControl
  readonly #clock: Clock
  readonly #log: Log
  readonly #bounds: SnapshotBounds
  readonly #distrust: (actor: ActorName, fault: FoundFault) => Promise<void>
  readonly #reseals: boolean
  readonly #marks = new Map<ActorName, Mark>()
  /** How often an actor may still be stored anew because of its key: none is left where nothing of it needs an older one. */
  readonly #resealings = new Map<ActorName, number>()
  /** Snapshots that somebody waits for. */
  readonly #wanted = new Map<ActorName, Promise<Snapshotted>>()
  /** Settles when the one that is being taken is done. */
  #taking: Promise<unknown> = Promise.resolve()
  #cancel = (): void => undefined
  #stopped = false

  constructor({ status, control, distrust, clock, log, bounds = { records: limits.snapshotRecords, bytes: limits.snapshotBytes }, reseals = false }: SnapshotScheduleParts) {
    this.#status = status
    this.#control = control
    this.#clock = clock
    this.#log = log
    this.#bounds = bounds
    this.#distrust = distrust
    this.#reseals = reseals
    this.#later()
  }

  /**
   * Takes one now, whatever is due. Who asks while it is taken gets the same.
   * @throws Refusal: actor_unavailable, journal_at_fault, snapshot_failed
   */
  demand(actor: ActorName): Promise<Snapshotted> {
    const wanted = this.#wanted.get(actor) ?? this.#inTurn(() => this.#demanded(actor)).finally(() => this.#wanted.delete(actor))
    this.#wanted.set(actor, wanted)
    return wanted
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
      for (const status of await this.#status()) {
        if (this.#stopped || status.state !== 'running') continue
        if (this.#due(status)) await this.#inTurn(() => this.#take(status, 1))
        else if (await this.#outdated(status)) await this.#inTurn(() => this.#take(status, 0))
      }
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

  /** As many snapshots as are kept take the place of the older ones, and then of the journal before them. */
  async #outdated({ actor }: ActorStatus): Promise<boolean> {
    const left = this.#resealings.get(actor) ?? limits.snapshots
    if (!this.#reseals || left === 0) return false
    if ((this.#marks.get(actor)?.notBefore ?? 0) > this.#clock.now()) return false
    try {
      const outdated = await this.#control.outdated(actor)
      this.#resealings.set(actor, outdated ? left - 1 : 0)
      return outdated
    } catch (error) {
      this.#log.warn('snapshots', 'it is not known which keys an actor needs; it is looked at again', { actor, reason: sentence(error) })
      return false
    }
  }

  /** One at a time: they are made by one thread. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#taking.then(work)
    // Whoever wanted it hears how it ended; the next one does not mind.
    this.#taking = done.catch(() => undefined)
    return done
  }

  async #demanded(actor: ActorName): Promise<Snapshotted> {
    const status = (await this.#status()).find((one) => one.actor === actor)
    if (this.#stopped || status?.state !== 'running') throw new Refusal('actor_unavailable')
    const first = await this.#take(status, 1)
    // A fault counts when a second reading says the same.
    const taken = first !== null && 'fault' in first ? await this.#take(status, 1) : first
    if (taken === null) throw new Refusal('snapshot_failed')
    if ('fault' in taken) throw new Refusal('journal_at_fault', taken.fault.kind)
    return taken
  }

  /** null: it could not be taken, for no fault of the journal's. @param least as in `SnapshotControl.take` */
  async #take({ actor, restored, bytes }: ActorStatus, least: number): Promise<Taken | null> {
    const began = this.#clock.now()
    try {
      const taken = await this.#control.take(actor, least)
      if ('fault' in taken) await this.#faulted(actor, taken.fault)
      else {
        this.#marks.set(actor, { snapshot: taken.snapshot, bytes, notBefore: 0 })
        this.#log.info('snapshots', 'taken', { actor, records: taken.snapshot, took_ms: this.#clock.now() - began })
      }
      return taken
    } catch (error) {
      this.#log.error('snapshots', 'no snapshot can be taken', { actor, reason: sentence(error) })
      this.#marks.set(actor, { snapshot: restored, bytes: 0, notBefore: this.#clock.now() + failed_ms })
      return null
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
