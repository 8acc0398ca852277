import type { NatsAccess } from '../protocol/natsAccess.ts'
import type { VenueFile } from '../protocol/venue.ts'
import { keyPaths } from './keys.ts'
import type { Keys } from './keys.ts'
import { natsTrust } from './natsAuthority.ts'

export async function venueNatsAccess(keys: Keys, venue: Pick<VenueFile, 'nats' | 'venue'>): Promise<NatsAccess> {
  const { servers, user } = venue.nats
  const password = Buffer.from(await keys.secret(keyPaths.nats)).toString('hex')
  const trust = await natsTrust(keys, venue)
  return { servers, user, password, ...(trust !== undefined && { trust }) }
}
