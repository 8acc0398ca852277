import type { JournalKeys } from '../../enclave/journalKeys.ts'
import type { Journal } from './journal.ts'
import { keyIdOf } from './sealedEnvelope.ts'
import type { SnapshotShelf } from './snapshot.ts'

/**
 * The versions of the journal key that an actor's oldest record and its snapshots are sealed with; null for a key that is none of these, or none at all. Versions only rise
 * along a journal, so no record is sealed with an older one than the first.
 */
export async function sealedVersions(journal: Journal, { store }: Pick<SnapshotShelf, 'store'>, keys: JournalKeys): Promise<readonly (number | null)[]> {
  const stored: Uint8Array[] = []
  for await (const { record } of journal.replay()) {
    stored.push(record)
    break
  }
  for (const { name } of await store.list()) {
    const piece = await store.last(name)
    if (piece !== null) stored.push(piece)
  }
  return [...new Set(stored.map((bytes) => keys.versionOf(keyIdOf(bytes))))]
}

/** Whether an older key than the venue's current one is needed for what is stored of an actor. */
export async function isOutdated(journal: Journal, shelf: Pick<SnapshotShelf, 'store'>, keys: JournalKeys): Promise<boolean> {
  return (await sealedVersions(journal, shelf, keys)).some((version) => version !== null && version < keys.current)
}
