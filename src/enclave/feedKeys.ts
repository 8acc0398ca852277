import { hkdfSync } from 'node:crypto'
import type { AccountId } from '../protocol/identity.ts'
import type { FeedKeysView } from '../protocol/seal.ts'
import type { VenueFile } from '../protocol/venue.ts'
import { feedKeyPath } from './keys.ts'
import type { Keys } from './keys.ts'
import { ReadyKeys } from './readyKeys.ts'

const KEY_BYTES = 32
/** Versions that are known besides the current one: what they sealed is still kept. */
const OLDER = 7

/** The accounts' feed keys of a venue, by version: each follows from the venue's secret of that version and the account. */
export class FeedKeys {
  readonly venue: string
  readonly current: number
  readonly #secrets: ReadonlyMap<number, Uint8Array>
  readonly #ready = new ReadyKeys<Uint8Array>()

  constructor(venue: string, current: number, secrets: ReadonlyMap<number, Uint8Array>) {
    for (const secret of secrets.values()) if (secret.length !== KEY_BYTES) throw new Error(`a secret of feed keys has ${KEY_BYTES} bytes, not ${secret.length}`)
    if (!secrets.has(current)) throw new Error('the current version of the feed keys has no secret')
    this.venue = venue
    this.current = current
    this.#secrets = secrets
  }

  /** undefined where that version is not known. */
  of(account: AccountId, version: number): Uint8Array | undefined {
    const secret = this.#secrets.get(version)
    if (secret === undefined) return undefined
    return this.#ready.get(`${version} ${account}`, () => new Uint8Array(hkdfSync('sha256', secret, '', `darkpool feed key\0${this.venue}\0${account}`, KEY_BYTES)))
  }

  view(account: AccountId): Pick<FeedKeysView, 'current' | 'keys'> {
    const versions = [...this.#secrets.keys()].sort((a, b) => a - b)
    return { current: this.current, keys: versions.map((version) => ({ version, key: Buffer.from(this.of(account, version)!).toString('base64') })) }
  }
}

/** Of the versions that are known; none where the venue's feeds are not sealed. */
export const feedKeyPaths = (venue: Pick<VenueFile, 'nats'>): readonly string[] => feedKeyVersions(venue).map(feedKeyPath)

export const feedKeyVersions = ({ nats: { sealed = 0 } }: Pick<VenueFile, 'nats'>): readonly number[] => Array.from({ length: sealed }, (_, n) => n + 1).slice(-OLDER - 1)

/** null where the venue's feeds are not sealed. */
export async function feedKeys(keys: Keys, { venue, nats }: VenueFile): Promise<FeedKeys | null> {
  const { sealed } = nats
  if (sealed === undefined) return null
  const secrets = await Promise.all(feedKeyVersions({ nats }).map(async (version) => [version, await keys.secret(feedKeyPath(version))] as const))
  return new FeedKeys(venue, sealed, new Map(secrets))
}
