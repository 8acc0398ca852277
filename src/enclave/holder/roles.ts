import type { VenueFile } from '../../protocol/venue.ts'
import { engineKeyPaths, engineKeyVersion } from '../engineKeys.ts'
import { feedKeyPaths } from '../feedKeys.ts'
import { journalKeyPaths, journalKeyVersion } from '../journalKeys.ts'
import { keyPaths } from '../keys.ts'
import { sourceKeyPaths } from '../sourceKeys.ts'
import { tokenKeyPaths, tokenKeyVersion } from '../tokenKeys.ts'

/** The processes of a venue that need secrets, each at a socket of its own. */
export const keyRoles = ['gateway', 'shard', 'nats'] as const
export type KeyRole = (typeof keyRoles)[number]

type KeyedVenue = Pick<VenueFile, 'keys' | 'nats' | 'settlement'>

/**
 * What each may have, and nothing else: whoever breaks into a gateway can neither settle nor read a journal, and a shard signs no logins. Also what it needs with every version one
 * higher: a process that died after the venue file was changed comes back with the new one, before anybody has started the key holder anew.
 */
export const pathsOf = (role: KeyRole, venue: KeyedVenue): readonly string[] => [...new Set([venue, raised(venue)].flatMap((one) => namedPathsOf(role, one)))]

function namedPathsOf(role: KeyRole, venue: KeyedVenue): readonly string[] {
  const { gateway, nats, natsIssuer, natsExchange, natsTraders, natsSystem, receipts } = keyPaths
  switch (role) {
    case 'gateway':
      return [gateway, ...tokenKeyPaths(venue), nats, natsIssuer, natsExchange, natsTraders, natsSystem, receipts, ...feedKeyPaths(venue)]
    case 'shard':
      return [...engineKeyPaths(venue), ...sourceKeyPaths(venue), nats, ...journalKeyPaths(venue), receipts, ...feedKeyPaths(venue)]
    // The program that configures nats-server makes addresses of them; the server itself gets those, and the password.
    case 'nats':
      return [nats, natsIssuer, natsExchange, natsTraders, natsSystem]
  }
}

function raised(venue: KeyedVenue): KeyedVenue {
  const { keys, nats } = venue
  const next = { engine: engineKeyVersion(venue) + 1, journal: journalKeyVersion(venue) + 1, tokens: tokenKeyVersion(venue) + 1 }
  return { ...venue, keys: { ...keys, ...next }, nats: { ...nats, ...(nats.sealed !== undefined && { sealed: nats.sealed + 1 }) } }
}
