import type { Milliseconds } from '../../protocol/identity.ts'
import type { ActorState } from './actorState.ts'
import type { Journal } from './journal.ts'
import { JournalFault } from './journalFault.ts'
import { sentence } from './log.ts'
import type { Log } from './log.ts'
import type { Random } from './random.ts'
import { restoreNewest } from './recovery.ts'
import { readManifest, writeSnapshot } from './snapshot.ts'
import type { Manifest, SnapshotShelf } from './snapshot.ts'

export interface SnapshotterParts {
  /** Of the actor, with a machine that nothing has happened to yet (replica.ts). */
  readonly replica: ActorState
  /** Read only, by a reader of its own: the owner's is the owner's. */
  readonly journal: Journal
  readonly shelf: SnapshotShelf
  /** How many snapshots are kept. */
  readonly kept: number
  readonly random: Random
  readonly log: Log
}

/** What was found and done. */
export interface Snapshotted {
  /** The last record of the journal. */
  readonly records: number
  /** The record of the newest snapshot now, and its bytes; 0 where there is none. */
  readonly snapshot: number
  readonly bytes: number
  /** The newest that was there before, and the time of its record; null where there was none. */
  readonly former: { readonly record: number; readonly time: Milliseconds } | null
}

/**
 * Snapshots of a running actor without its help: reads its journal from the newest snapshot to the end, which checks every digest on the way
 * by a second machine, and writes what came out of it, if that is `least` records or more: with 0, what is stored already is stored anew. Then lets go older snapshots than the
 * newest `kept`, and the journal before the oldest of them.
 * @throws JournalFault where the journal cannot be replayed: nothing is written then, and nothing let go
 */
export async function takeSnapshot({ replica, journal, shelf, kept, random, log }: SnapshotterParts, least: number): Promise<Snapshotted> {
  const { manifest, unusable } = await restoreNewest(replica, shelf, log)
  let position = manifest?.position ?? 0
  for await (const entry of journal.replay(position)) {
    replica.replay(entry.record)
    position = entry.position
  }
  const { records } = replica
  const former = manifest && { record: manifest.index, time: manifest.time }
  if (records === 0 || records < replica.restored + least) return { records, snapshot: replica.restored, bytes: manifest?.length ?? 0, former }
  // What a predecessor left unfinished, or what was found damaged, is of no use to anybody.
  for (const name of unusable) await shelf.store.remove(name)
  const { name, bytes } = await writeSnapshot(shelf, replica.snapshot(), position, random)
  log.info('snapshotter', 'a snapshot is written', { snapshot: name, records })
  await letGo(journal, shelf, kept, log)
  return { records, snapshot: records, bytes, former }
}

/** As long as there are fewer than `kept`, the journal stays whole: one snapshot alone must not be all there is. */
async function letGo(journal: Journal, shelf: SnapshotShelf, kept: number, log: Log): Promise<void> {
  const whole: { readonly name: string; readonly manifest: Manifest }[] = []
  for (const row of await shelf.store.list()) {
    try {
      const manifest = await readManifest(shelf, row)
      if (manifest !== null) whole.push({ name: row.name, manifest })
    } catch (error) {
      if (!(error instanceof JournalFault)) throw error
      log.warn('snapshotter', 'a snapshot cannot be used', { snapshot: row.name, reason: sentence(error) })
    }
  }
  const oldest = whole.at(-kept)
  if (oldest === undefined) return
  // Snapshots go first: one whose journal is gone would be worse than none.
  for (const { name } of whole.slice(0, -kept)) await shelf.store.remove(name)
  await journal.forget(oldest.manifest.position)
}
