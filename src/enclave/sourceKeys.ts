import type { VenueFile } from '../protocol/venue.ts'

/** ed25519 seeds of the accounts that pay for settlement, one path each; none where the engine pays itself. */
export const sourceKeyPaths = ({ settlement }: Pick<VenueFile, 'settlement'>): readonly string[] => Array.from({ length: settlement.sources ?? 0 }, (_, n) => `darkpool/v1/source/${n}`)
