import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import t from 'tap'
import { FeedOrder, readFeed } from '../../src/client/feed.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { Subjects } from '../../src/protocol/subjects.ts'
import { startNats } from '../nats/server.ts'

t.test('in order: repeats are dropped, a gap is noticed', async (t) => {
  const order = new FeedOrder(2)
  t.equal(order.take(1), false)
  t.equal(order.take(2), false)
  t.equal(order.take(3), true)
  t.equal(order.take(3), false)
  t.equal(order.take(4), true)
  t.throws(() => order.take(6), { name: 'FeedGap', message: 'The feed goes from 4 to 6.' })
  const open = new FeedOrder(null)
  t.equal(open.take(41), true, 'begins with whatever comes first')
  t.equal(open.take(41), false)
  t.throws(() => open.take(43), { name: 'FeedGap' })
})

t.test('an account’s feed over NATS', async (t) => {
  const nats = await startNats()
  t.teardown(() => nats.stop())
  const connection = await connect({ servers: nats.url, user: nats.user, pass: nats.password })
  t.teardown(() => connection.close())
  const subjects = new Subjects('local')
  await (await jetstreamManager(connection)).streams.add({ name: subjects.feedStream, subjects: [subjects.allFeeds] })
  const publish = async (account: string, ...seqs: number[]): Promise<void> => {
    for (const seq of seqs) await jetstream(connection).publish(subjects.feed(account as AccountId), JSON.stringify({ v: 1, seq, account, time: '2026-01-01T00:00:00.000Z', type: 'settled', trades: [], transaction: 'x', ledger: seq }))
  }
  const first = async (count: number, account: string, after: number): Promise<number[]> => {
    const seen: number[] = []
    for await (const message of readFeed(connection, 'local', account, { after })) {
      t.equal(message.account, account)
      if (seen.push(message.seq) === count) break
    }
    return seen
  }
  await publish('GA', 1, 2)
  await publish('GB', 1)
  await publish('GA', 2, 3, 1, 4)
  t.strictSame(await first(4, 'GA', 0), [1, 2, 3, 4], 'from the beginning, each once, nobody else’s')
  t.strictSame(await first(2, 'GA', 2), [3, 4], 'from where the reader was')

  const ended = new AbortController()
  const live: number[] = []
  const reading = (async () => {
    for await (const { seq } of readFeed(connection, 'local', 'GA', { after: 4, signal: ended.signal })) {
      live.push(seq)
      if (seq === 6) ended.abort()
    }
  })()
  await publish('GA', 5, 5, 6)
  await reading
  t.strictSame(live, [5, 6], 'as it happens, until the signal')

  await publish('GA', 8)
  await t.rejects(first(9, 'GA', 0), { name: 'FeedGap', message: 'The feed goes from 6 to 8.' })
})

t.test('a server that goes and comes back only delays it', async (t) => {
  const nats = await startNats()
  t.teardown(() => nats.stop())
  const connection = await connect({ servers: nats.url, user: nats.user, pass: nats.password, maxReconnectAttempts: -1, reconnectTimeWait: 50 })
  t.teardown(() => connection.close())
  const subjects = new Subjects('local')
  await (await jetstreamManager(connection)).streams.add({ name: subjects.feedStream, subjects: [subjects.allFeeds] })
  const publish = async (seq: number): Promise<void> => {
    const text = JSON.stringify({ v: 1, seq, account: 'GA', time: '2026-01-01T00:00:00.000Z', type: 'settled', trades: [], transaction: 'x', ledger: seq })
    // A message on its way while the server goes or comes is lost with its answer, so it is sent again; the reader drops repeats.
    for (let tries = 1; ; tries++) {
      try {
        await jetstream(connection).publish(subjects.feed('GA' as AccountId), text, { timeout: 1_000 })
        return
      } catch (error) {
        if (tries === 30) throw error
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  }
  const ended = new AbortController()
  const seen: number[] = []
  const reading = (async () => {
    for await (const { seq } of readFeed(connection, 'local', 'GA', { after: 0, signal: ended.signal })) if (seen.push(seq) === 3) ended.abort()
  })()
  await publish(1)
  while (seen.length < 1) await new Promise((resolve) => setTimeout(resolve, 10))
  await nats.kill()
  // Longer than the reader waits for a consumer to be made anew.
  await new Promise((resolve) => setTimeout(resolve, 7_000))
  await nats.restart()
  await publish(2)
  await publish(3)
  await reading
  t.strictSame(seen, [1, 2, 3])
})
