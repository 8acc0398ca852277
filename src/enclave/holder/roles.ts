import type { VenueFile } from '../../protocol/venue.ts'
import { engineKeyPaths } from '../engineKeys.ts'
import { feedKeyPaths } from '../feedKeys.ts'
import { journalKeyPaths } from '../journalKeys.ts'
import { keyPaths } from '../keys.ts'
import { sourceKeyPaths } from '../sourceKeys.ts'
import { tokenKeyPaths } from '../tokenKeys.ts'

/** The processes of a venue that need secrets, each at a socket of its own. */
export const keyRoles = ['gateway', 'shard', 'nats'] as const
export type KeyRole = (typeof keyRoles)[number]

/** What each may have, and nothing else: whoever breaks into a gateway can neither settle nor read a journal, and a shard signs no logins. */
export function pathsOf(role: KeyRole, venue: Pick<VenueFile, 'keys' | 'nats' | 'settlement'>): readonly string[] {
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
