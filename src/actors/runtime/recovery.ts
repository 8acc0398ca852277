import type { ActorState } from './actorState.ts'
import type { Clock } from './clock.ts'
import { Fenced } from './journal.ts'
import type { Journal } from './journal.ts'
import { JournalFault } from './journalFault.ts'
import { sentence } from './log.ts'
import type { Log } from './log.ts'
import { readManifest, readSnapshot } from './snapshot.ts'
import type { Manifest, SnapshotShelf } from './snapshot.ts'

/** How often a new owner tries to append between two appends of the old one. */
const takeOverAttempts = 1_000

/** What was found on the shelf. */
export interface Restored {
  /** The snapshot that was taken; null where the journal is to be replayed whole. */
  readonly manifest: Manifest | null
  /** Names of those that could not be used, or were never finished. */
  readonly unusable: readonly string[]
}

/**
 * Takes the newest snapshot that is whole and that the machine knows, older ones where it is not. A store that does not answer is no reason
 * to take an older one: that fails.
 */
export async function restoreNewest(memory: ActorState, shelf: SnapshotShelf, log: Log): Promise<Restored> {
  const unusable: string[] = []
  const stored = [...(await shelf.store.list())].sort((a, b) => (a.name < b.name ? 1 : -1))
  for (const row of stored) {
    try {
      const manifest = await readManifest(shelf, row)
      if (manifest !== null) {
        memory.restore(await readSnapshot(shelf, row.name, manifest))
        return { manifest, unusable }
      }
      log.info('recovery', 'a snapshot that was never finished is passed over', { snapshot: row.name })
    } catch (error) {
      if (!(error instanceof JournalFault)) throw error
      log.warn('recovery', 'a snapshot cannot be used; an older one or the whole journal is', { snapshot: row.name, reason: sentence(error) })
    }
    unusable.push(row.name)
  }
  return { manifest: null, unusable }
}

/**
 * Brings an actor to the end of its journal and appends the first record of a new epoch. From then on the append of any earlier owner is
 * refused, whether it still runs or its last append is still under way. One that still runs may be faster at first: then its
 * records are replayed too. Gives up where `stopped` says so.
 */
export async function takeOver(memory: ActorState, journal: Journal, shelf: SnapshotShelf | null, clock: Clock, log: Log, stopped: () => boolean): Promise<void> {
  const restored = shelf === null ? null : await restoreNewest(memory, shelf, log)
  for (let attempt = 1; !stopped(); attempt++) {
    for await (const { record } of journal.replay(restored?.manifest?.position)) {
      if (stopped()) return
      memory.replay(record)
    }
    const record = memory.takeOver(clock.now())
    try {
      await journal.append(record)
    } catch (error) {
      if (error instanceof Fenced && attempt < takeOverAttempts) continue
      throw error
    }
    memory.replay(record)
    return
  }
}
