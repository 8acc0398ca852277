import type { VenueFile } from '../protocol/venue.ts'
import { engineKeyPath, versionsAround } from './keys.ts'

type KeyedVenue = Pick<VenueFile, 'keys'>

/** The version that the venue file names. Which one is used, the vault contract says. */
export const engineKeyVersion = ({ keys }: KeyedVenue): number => keys?.engine ?? 1

/** That version first, the one before and the next one, whichever the vault obeys: a change on chain and one of the venue file need not come at once. */
export const engineKeyVersions = (venue: KeyedVenue): readonly number[] => versionsAround(engineKeyVersion(venue))

export const engineKeyPaths = (venue: KeyedVenue): readonly string[] => engineKeyVersions(venue).map(engineKeyPath)
