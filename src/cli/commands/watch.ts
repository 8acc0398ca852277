import { join } from 'node:path'
import { connect } from '@nats-io/transport-node'
import { readFeed } from '../../client/feed.ts'
import { developmentKeys, keyPaths } from '../../enclave/keys.ts'
import { whole, words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { feedText } from '../text.ts'

/** `darkpool watch`: the account's feed until Ctrl-C. With the local venue's own NATS user, so for a venue on this machine only. */
export const watch: Command = async ({ args, place, show, say }) => {
  words(args, [])
  const { after } = args.options
  const signer = place.signer()
  const { file, subjects } = place.venue('another folder with --state')
  const from = after === undefined ? {} : { after: whole('after', after) }
  const password = await developmentKeys(join(place.state, 'keys', 'root')).secret(keyPaths.nats)
  const connection = await connect({ servers: file.nats.servers, user: file.nats.user, pass: Buffer.from(password).toString('hex'), name: 'darkpool watch' })
  const ended = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
  say(`watching ${signer.address}; Ctrl-C ends it`)
  try {
    for await (const message of readFeed(connection, subjects.venue, signer.address, { ...from, signal: ended.signal })) show({ text: feedText(message), json: message })
  } finally {
    await connection.close()
  }
  return null
}
