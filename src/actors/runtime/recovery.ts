import type { ActorState } from './actorState.ts'
import type { Clock } from './clock.ts'
import { Fenced } from './journal.ts'
import type { Journal } from './journal.ts'
import { JournalFault } from './journalFault.ts'
import { sentence } from './log.ts'
import type { Log } from './log.ts'
import { readManifest, readSnapshot } from './snapshot.ts'
import type { Manifest, SnapshotShelf } from './snapshot.ts'
import type { StoredSnapshot } from './snapshotStore.ts'

/** How often a new owner tries to append between two appends of the old one. */
const takeOverAttempts = 1_000
/** How often the shelf is looked at anew because a snapshot was let go while it was read. */
const shelfLooks = 10

/** What was found on the shelf. */
export interface Restored {
  /** The snapshot that was taken; null where the journal is to be replayed whole. */
  readonly manifest: Manifest | null
  /** Names of those that could not be used, or were never finished. */
  readonly unusable: readonly string[]
}

/**
 * Takes the newest snapshot that is whole and that the machine knows, older ones where it is not. A store that does not answer is no reason
 * to take an older one: that fails. One that is let go while it is read is: whoever let it go has put newer ones there.
 */
export async function restoreNewest(memory: ActorState, shelf: SnapshotShelf, log: Log): Promise<Restored> {
  const unusable: string[] = []
  let rows = await newestFirst(shelf)
  for (let looks = 1; ; ) {
    const row = rows.find(({ name }) => !unusable.includes(name))
    if (row === undefined) return { manifest: null, unusable }
    let failure: Error | null = null
    try {
      const manifest = await readManifest(shelf, row)
      if (manifest !== null) {
        memory.restore(await readSnapshot(shelf, row.name, manifest))
        return { manifest, unusable }
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
    }
    rows = await newestFirst(shelf)
    if (!rows.some(({ name }) => name === row.name)) {
      log.info('recovery', 'a snapshot was let go while it was read', { snapshot: row.name })
      if (looks++ < shelfLooks) continue
      throw failure ?? new Error('snapshots are let go faster than they are read')
    }
    if (failure === null) log.info('recovery', 'a snapshot that was never finished is passed over', { snapshot: row.name })
    else if (failure instanceof JournalFault) log.warn('recovery', 'a snapshot cannot be used; an older one or the whole journal is', { snapshot: row.name, reason: sentence(failure) })
    else throw failure
    unusable.push(row.name)
  }
}

async function newestFirst({ store }: SnapshotShelf): Promise<StoredSnapshot[]> {
  return [...(await store.list())].sort((a, b) => (a.name < b.name ? 1 : -1))
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
