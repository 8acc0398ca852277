import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { AccountId } from '../../../src/protocol/identity.ts'
import type { Stage } from '../stage.ts'

/** What is kept of an account's feed is gone, as when it has become too old. */
export async function purge({ nats, venue }: Stage, account: string): Promise<void> {
  const connection = await connect({ servers: nats.url, user: nats.user, pass: nats.password })
  const manager = await jetstreamManager(connection, { checkAPI: false })
  await manager.streams.purge(venue.subjects.feedStream, { filter: venue.subjects.feed(account as AccountId) })
  await connection.close()
}
