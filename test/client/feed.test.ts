import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { jetstream } from '@nats-io/jetstream'
import t from 'tap'
import type { Test } from 'tap'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { readFeed } from '../../src/client/feed.ts'
import type { FeedOptions } from '../../src/client/feed.ts'
import { keyAccess, statementAccess } from '../../src/client/natsAccess.ts'
import type { NatsAccess } from '../../src/client/natsAccess.ts'
import { trader } from '../gateway/stage.ts'
import { startProxy } from '../nats/proxy.ts'
import { until } from '../settlement/waiting.ts'
import { addressFor, keypairFor, openSubscriberStage } from '../subscribers/stage.ts'

const stage = await openSubscriberStage()
t.teardown(() => stage.close())
const { subjects } = stage.venue
await ensureStreams(stage.venueLink, subjects)
const proxy = await startProxy(stage.nats.port)
t.teardown(() => proxy.stop())

async function publish(name: string, ...seqs: number[]): Promise<void> {
  const account = addressFor(name)
  for (const seq of seqs) await jetstream(stage.venueLink).publish(subjects.feed(account), JSON.stringify({ v: 1, seq, account, time: '2026-01-01T00:00:00.000Z', type: 'settled', trades: [], transaction: 'x', ledger: seq, receipts: { sequence: 1, size: 2, from: 1, leaves: [] } }))
}

const own = (name: string): NatsAccess => keyAccess(keypairFor(name).secret())

async function open(t: Test, access: NatsAccess): Promise<NatsConnection> {
  const connection = await connect({ servers: proxy.url, timeout: 20_000, ...access.options })
  t.teardown(() => connection.close())
  return connection
}

/** Reads until the signal; what was read so far. */
function reading(connection: NatsConnection, access: NatsAccess, options: FeedOptions): { readonly seqs: number[]; readonly done: Promise<void> } {
  const seqs: number[] = []
  const done = (async () => {
    for await (const message of readFeed(connection, 'local', access, options)) {
      t.equal(message.account, access.account)
      seqs.push(message.seq)
    }
  })()
  return { seqs, done }
}

t.test('from the beginning, from a number, and as it happens: each once, nobody else’s', async (t) => {
  await publish('alice', 1, 2)
  await publish('bob', 1)
  await publish('alice', 2, 3, 1, 2, 3, 4)
  const access = own('alice')
  const connection = await open(t, access)
  const end = new AbortController()
  const all = reading(connection, access, { after: 0, signal: end.signal })
  const later = reading(connection, access, { after: 2, signal: end.signal })
  const live = reading(connection, access, { signal: end.signal })
  await until('what is stored was read', () => all.seqs.length === 4 && later.seqs.length === 2)
  await publish('alice', 5, 5, 6)
  await until('what was published was read', () => [all, later].every(({ seqs }) => seqs.at(-1) === 6) && live.seqs.at(-1) === 6)
  end.abort()
  await Promise.all([all.done, later.done, live.done])
  t.strictSame([all.seqs, later.seqs, live.seqs.slice(-2)], [[1, 2, 3, 4, 5, 6], [3, 4, 5, 6], [5, 6]])
})

t.test('a connection that is cut, again and again, only delays it', async (t) => {
  const access = own('carol')
  const connection = await open(t, access)
  const end = new AbortController()
  const read = reading(connection, access, { after: 0, signal: end.signal })
  for (let seq = 1; seq <= 60; seq++) {
    if (seq % 15 === 7) proxy.cut()
    await publish('carol', seq)
  }
  await until('all of it was read', () => read.seqs.length === 60)
  end.abort()
  await read.done
  t.strictSame(read.seqs, Array.from({ length: 60 }, (_, i) => i + 1))
})

t.test('a message that a connection missed is read though none comes after it', async (t) => {
  const access = own('dave')
  const connection = await open(t, access)
  const end = new AbortController()
  await publish('dave', 1)
  const read = reading(connection, access, { after: 0, signal: end.signal })
  await until('the first was read', () => read.seqs.length === 1)
  proxy.refuse(true)
  proxy.cut()
  await publish('dave', 2)
  proxy.refuse(false)
  await until('the second was read', () => read.seqs.length === 2)
  end.abort()
  await read.done
})

t.test('a feed whose beginning is no longer kept says so', async (t) => {
  await publish('erin', 5, 6)
  const access = own('erin')
  const connection = await open(t, access)
  await t.rejects(reading(connection, access, { after: 2 }).done, { code: 'feed_trimmed', status: 410 })
})

t.test('with a wallet’s statement; a closed connection ends it', async (t) => {
  const { network, vault } = stage.venue.file
  const access = await statementAccess({ network: network.passphrase, vault: vault.contract, account: addressFor('alice') }, trader('alice'))
  const connection = await open(t, access)
  const read = reading(connection, access, { after: 0 })
  await until('the feed was read', () => read.seqs.length >= 6)
  await connection.close()
  await read.done
})

t.test('a server that asks to sign anything but a nonce gets nothing', async (t) => {
  const { authenticator } = own('alice').options
  t.ok(authenticator('x1-_x1-_x1-_x1-').sig)
  for (const nonce of ['', 'short', 'x'.repeat(32), 'fifteen letters', `${'x'.repeat(14)}\u0000`, '\u{1f30a}'.repeat(8)]) t.throws(() => authenticator(nonce), { message: 'the server asks to sign something that is no nonce' })
})
