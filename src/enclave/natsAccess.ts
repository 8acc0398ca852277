import type { VenueFile } from '../protocol/venue.ts'
import { keyPaths } from './keys.ts'
import type { Keys } from './keys.ts'
import { natsTrust } from './natsAuthority.ts'

/** How a part of the venue reaches its NATS. */
export interface VenueNatsAccess {
  readonly servers: readonly string[]
  readonly user: string
  readonly password: string
  /** Whose certificates the servers have, where they speak TLS: PEM. */
  readonly trust?: string
}

export async function venueNatsAccess(keys: Keys, venue: Pick<VenueFile, 'nats' | 'venue'>): Promise<VenueNatsAccess> {
  const { servers, user } = venue.nats
  const password = Buffer.from(await keys.secret(keyPaths.nats)).toString('hex')
  const trust = await natsTrust(keys, venue)
  return { servers, user, password, ...(trust !== undefined && { trust }) }
}
