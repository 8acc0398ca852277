import { hkdfSync } from 'node:crypto'
import { limits } from '../protocol/limits.ts'
import type { VenueFile } from '../protocol/venue.ts'
import { journalKeyPath } from './keys.ts'
import type { Keys } from './keys.ts'

const KEY_BYTES = 32
export const JOURNAL_KEY_ID_BYTES = 8

type KeyedVenue = Pick<VenueFile, 'keys'>

/** One version of the key that seals journals and snapshots. Its id stands readable in front of what it has sealed, and tells nothing of it. */
export interface JournalKey {
  readonly version: number
  /** Hexadecimal. */
  readonly id: string
  readonly secret: Uint8Array
}

/**
 * The keys of a venue's journals. One version seals: the one that the venue file names, or a newer one from the moment on at which something that it has sealed was opened, so
 * that an actor that comes back to a node which is not changed yet goes on with the newer one. What any of them has sealed is opened.
 */
export class JournalKeys {
  /** The version that the venue file names. */
  readonly current: number
  readonly #byId: ReadonlyMap<string, JournalKey>
  #sealing: JournalKey

  /** @param secrets 32 bytes for each version */
  constructor(current: number, secrets: ReadonlyMap<number, Uint8Array>) {
    const keys = Array.from(secrets, ([version, secret]) => ({ version, id: idOf(secret), secret }))
    const sealing = keys.find(({ version }) => version === current)
    if (sealing === undefined) throw new Error('the current version of the journal key has no secret')
    this.current = current
    this.#byId = new Map(keys.map((key) => [key.id, key]))
    this.#sealing = sealing
  }

  /** Where there is no other version. */
  static only(secret: Uint8Array): JournalKeys {
    return new JournalKeys(1, new Map([[1, secret]]))
  }

  get sealing(): JournalKey {
    return this.#sealing
  }

  /** By version. */
  get all(): readonly JournalKey[] {
    return [...this.#byId.values()].sort((a, b) => a.version - b.version)
  }

  /** The version of a key; null where it is none of these. @param id hexadecimal; null where something says none */
  versionOf(id: string | null): number | null {
    return (id === null ? undefined : this.#byId.get(id))?.version ?? null
  }

  /** The key that opens something; undefined where it is none of these. @param id hexadecimal */
  opening(id: string): JournalKey | undefined {
    const key = this.#byId.get(id)
    if (key !== undefined && key.version > this.#sealing.version) this.#sealing = key
    return key
  }
}

function idOf(secret: Uint8Array): string {
  if (secret.length !== KEY_BYTES) throw new Error(`a journal key has ${KEY_BYTES} bytes, not ${secret.length}`)
  return Buffer.from(hkdfSync('sha256', secret, '', 'darkpool journal key id', JOURNAL_KEY_ID_BYTES)).toString('hex')
}

export const journalKeyVersion = ({ keys }: KeyedVenue): number => keys?.journal ?? 1

/** From the oldest that is still opened to the next one, which nodes that were changed before this one have sealed with. */
export function journalKeyVersions(venue: KeyedVenue): readonly number[] {
  const current = journalKeyVersion(venue)
  const oldest = venue.keys?.journalOldest ?? Math.max(1, current - limits.olderJournalKeys)
  return Array.from({ length: current + 2 - oldest }, (_, n) => oldest + n)
}

export const journalKeyPaths = (venue: KeyedVenue): readonly string[] => journalKeyVersions(venue).map(journalKeyPath)

export async function journalKeys(keys: Keys, venue: KeyedVenue): Promise<JournalKeys> {
  const secrets = await Promise.all(journalKeyVersions(venue).map(async (version) => [version, await keys.secret(journalKeyPath(version))] as const))
  return new JournalKeys(journalKeyVersion(venue), new Map(secrets))
}
