// A fill logger: writes every fill of an account into a file, a line of JSON each, once and in order, however often it or the venue is started again. Reads over NATS.
//   node examples/fillLogger.ts --key .darkpool/keys/alice.seed --file fills.jsonl
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { connect as natsConnect } from '@nats-io/transport-node'
import { Refused } from '../src/client/errors.ts'
import { readFeed } from '../src/client/feed.ts'
import { openNats } from '../src/client/natsConnection.ts'
import type { FeedMessage } from '../src/protocol/feed.ts'
import { connect } from './connect.ts'

const { client, access, given, end } = await connect({ file: 'fills.jsonl' })
const file = given.file!

/** The number of the last line, 0 for none. A line that a crash cut short is taken off: it is written again. */
function lastWritten(): number {
  if (!existsSync(file)) return 0
  const text = readFileSync(file, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  truncateSync(file, Buffer.byteLength(whole))
  const last = whole.trimEnd().split('\n').at(-1)!
  return last === '' ? 0 : (JSON.parse(last) as FeedMessage).seq
}

const after = lastWritten()
const log = openSync(file, 'a')
const connection = await openNats(natsConnect, client.venue, access, { name: 'fill logger', timeout: 30_000 })
process.stdout.write(`logging the fills of ${access.account} behind number ${after}\n`)
try {
  for await (const message of readFeed(connection, client.venue.venue, access, { after, signal: end, keys: () => client.feedKeys() })) {
    if (message.type !== 'fill') continue
    writeSync(log, `${JSON.stringify(message)}\n`)
    // Whoever reads the file may count on it.
    fsyncSync(log)
    process.stdout.write(`${message.side} ${message.quantity} at ${message.price} (${message.trade})\n`)
  }
} catch (error) {
  if (!(error instanceof Refused) || error.code !== 'feed_trimmed') throw error
  process.stderr.write(`the venue no longer keeps what followed number ${after}: begin another file\n`)
  process.exitCode = 1
} finally {
  closeSync(log)
  await connection.close()
}
