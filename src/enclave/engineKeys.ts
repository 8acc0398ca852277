import type { VenueFile } from '../protocol/venue.ts'
import { engineKeyPath } from './keys.ts'

type KeyedVenue = Pick<VenueFile, 'keys'>

/** The version that the venue file names. Which one is used, the vault contract says. */
export const engineKeyVersion = ({ keys }: KeyedVenue): number => keys?.engine ?? 1

/** That version, the one before and the next one, whichever the vault obeys: a change on chain and one of the venue file need not come at once. */
export function engineKeyVersions(venue: KeyedVenue): readonly number[] {
  const current = engineKeyVersion(venue)
  return [current - 1, current, current + 1].filter((version) => version >= 1)
}

export const engineKeyPaths = (venue: KeyedVenue): readonly string[] => engineKeyVersions(venue).map(engineKeyPath)
