import { encode } from '../../protocol/codec.ts'
import type { Milliseconds } from '../../protocol/identity.ts'
import type { ActorState } from './actorState.ts'
import { readHeading } from './envelope.ts'
import type { Journal } from './journal.ts'
import { JournalFault } from './journalFault.ts'
import type { FaultKind } from './journalFault.ts'
import { readManifest, readSnapshot } from './snapshot.ts'
import type { Manifest, Snapshot, SnapshotShelf } from './snapshot.ts'

export interface VerifyParts {
  /** To which nothing has happened. */
  readonly replica: ActorState
  /** Each call gives another reader. */
  readonly journal: () => Journal
  readonly shelf: SnapshotShelf
}

export interface Fault {
  readonly kind: FaultKind
  /** The record at fault, or null where it is a snapshot. */
  readonly record: number | null
  readonly snapshot: string | null
  readonly message: string
}

/** What an actor's journal and snapshots turned out to be. */
export interface Verified {
  /** The replay began behind this record: at a snapshot, or at 0. */
  readonly from: number
  /** The last record that was replayed and agreed. */
  readonly records: number
  readonly epoch: number
  /** Of the first and the last record that was replayed; null where there was none. */
  readonly firstTime: Milliseconds | null
  readonly lastTime: Milliseconds | null
  /** The digest chain after the last record, in hex. */
  readonly digest: string
  /** Snapshots that are what the replay came to; the one it began from is none of them. */
  readonly snapshots: number
  /** Snapshots first, then what ended the replay; empty where all is well. */
  readonly faults: readonly Fault[]
}

interface Whole {
  readonly name: string
  readonly manifest: Manifest
}

/**
 * Replays all there is of one actor's journal, from the beginning or else from the oldest snapshot that reaches it, comparing every digest,
 * and every snapshot on the way with what the replay came to there. Reads only; the actor may be running.
 */
export async function verify({ replica, journal, shelf }: VerifyParts): Promise<Verified> {
  const faults: Fault[] = []
  const note = (error: unknown, snapshot: string | null): void => {
    if (!(error instanceof JournalFault)) throw error
    faults.push({ kind: error.kind, record: snapshot === null ? error.record : null, snapshot, message: error.message })
  }
  const whole = await wholeSnapshots(shelf, note)
  const first = await firstRecord(journal())
  // The oldest that reaches the first record: the replay is as long as it can be.
  let position: number | undefined
  for (const row of whole) {
    if (position !== undefined || first === null || first === 1 || row.manifest.index < first - 1) continue
    const stored = await read(shelf, row, note)
    if (stored === null) continue
    try {
      replica.restore(stored)
      position = row.manifest.position
    } catch (error) {
      note(error, row.name)
    }
  }
  const from = replica.records
  let snapshots = 0
  let firstTime: Milliseconds | null = null
  const compare = async (): Promise<void> => {
    for (const row of whole.filter(({ manifest }) => manifest.index === replica.records)) {
      const stored = await read(shelf, row, note)
      if (stored === null) continue
      if (same(stored, replica.snapshot())) snapshots++
      else note(new JournalFault('diverged', replica.records, 'a snapshot is not what the replay comes to'), row.name)
    }
  }
  try {
    for await (const { record } of journal().replay(position)) {
      replica.replay(record)
      firstTime ??= replica.time
      await compare()
    }
  } catch (error) {
    note(error, null)
  }
  const { records, epoch, time, digest } = replica
  const lastTime = firstTime === null ? null : time
  return { from, records, epoch, firstTime, lastTime, digest: Buffer.from(digest).toString('hex'), snapshots, faults }
}

/** Those that are finished, oldest first. */
async function wholeSnapshots(shelf: SnapshotShelf, note: (error: unknown, snapshot: string) => void): Promise<Whole[]> {
  const whole: Whole[] = []
  for (const row of await shelf.store.list()) {
    try {
      const manifest = await readManifest(shelf, row)
      if (manifest !== null) whole.push({ name: row.name, manifest })
    } catch (error) {
      note(error, row.name)
    }
  }
  return whole.sort((a, b) => a.manifest.index - b.manifest.index)
}

/** Null where it is damaged, which is noted. */
async function read(shelf: SnapshotShelf, { name, manifest }: Whole, note: (error: unknown, snapshot: string) => void): Promise<Snapshot | null> {
  try {
    return await readSnapshot(shelf, name, manifest)
  } catch (error) {
    note(error, name)
    return null
  }
}

/** The number of the oldest record that is left, by its own word; null where there is none or it has no number. */
async function firstRecord(journal: Journal): Promise<number | null> {
  for await (const { record } of journal.replay()) {
    try {
      return readHeading(record).heading.index
    } catch (error) {
      // The replay says what is wrong with it.
      if (error instanceof JournalFault) return null
      throw error
    }
  }
  return null
}

function same({ machine, ...rest }: Snapshot, { machine: otherMachine, ...otherRest }: Snapshot): boolean {
  return Buffer.compare(machine, otherMachine) === 0 && Buffer.compare(encode(rest), encode(otherRest)) === 0
}
