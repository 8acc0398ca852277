import type { VenueFile } from '../protocol/venue.ts'
import { tokenKeyPath, versionsAround } from './keys.ts'
import type { Keys } from './keys.ts'

type KeyedVenue = Pick<VenueFile, 'keys'>

export const tokenKeyVersion = ({ keys }: KeyedVenue): number => keys?.tokens ?? 1

/** The version that signs first. The one before is still accepted, and the next one already: a token lives on at gateways that are changed earlier or later than the one that gave it. */
export const tokenKeyVersions = (venue: KeyedVenue): readonly number[] => versionsAround(tokenKeyVersion(venue))

export const tokenKeyPaths = (venue: KeyedVenue): readonly string[] => tokenKeyVersions(venue).map(tokenKeyPath)

/** The first signs, all of them are accepted. */
export const tokenKeys = (keys: Keys, venue: KeyedVenue): Promise<readonly Uint8Array[]> => Promise.all(tokenKeyPaths(venue).map((path) => keys.secret(path)))
