import { connect } from '@nats-io/transport-node'
import { readFeed } from '../../client/feed.ts'
import { openNats } from '../../client/natsConnection.ts'
import { VenueReader } from '../../client/venueReader.ts'
import { whole, words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { feedText } from '../text.ts'

/** A gateway has to answer for whoever connects. */
const CONNECT_TIMEOUT_MS = 10_000

/** `darkpool watch`: the account's feed until Ctrl-C, with the trader's own key. */
export const watch: Command = async ({ args, place, show, say }) => {
  words(args, [])
  const { after } = args.options
  const access = place.natsAccess()
  const venue = await new VenueReader(place.url).markets()
  const from = after === undefined ? {} : { after: whole('after', after) }
  const connection = await openNats(connect, venue, access, { name: 'darkpool watch', timeout: CONNECT_TIMEOUT_MS })
  const sealed = venue.nats?.sealed === true ? { keys: async () => (await place.client()).feedKeys() } : {}
  const ended = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
  say(`watching ${access.account}; Ctrl-C ends it`)
  try {
    for await (const message of readFeed(connection, venue.venue, access, { ...from, ...sealed, signal: ended.signal })) show({ text: feedText(message), json: message })
  } finally {
    await connection.close()
  }
  return null
}
