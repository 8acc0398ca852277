import { Writable } from 'node:stream'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import fc from 'fast-check'
import t from 'tap'
import { ensureStreams } from '../../../src/actors/runtime/streams.ts'
import { FeedPages } from '../../../src/gateway/feeds/feedPages.ts'
import type { FeedPage } from '../../../src/gateway/feeds/feedPages.ts'
import { FeedTrimmed } from '../../../src/gateway/feeds/feedSearch.ts'
import { feedsOf, JetStreamFeedStore } from '../../../src/gateway/feeds/feedStore.ts'
import type { StoredMessage } from '../../../src/gateway/feeds/feedStore.ts'
import type { FeedMessage } from '../../../src/protocol/feed.ts'
import type { AccountId } from '../../../src/protocol/identity.ts'
import { Refusal } from '../../../src/protocol/errors.ts'
import { unreadableLog } from '../../../src/gateway/feeds/unreadable.ts'
import { gatewayLog } from '../../../src/gateway/log.ts'
import { Subjects } from '../../../src/protocol/subjects.ts'
import { startNatsCluster } from '../../nats/cluster.ts'
import { startNats } from '../../nats/server.ts'
import { until } from '../../settlement/waiting.ts'

// Pages of feeds, against what a plain array says, over feeds as they come to be stored: repeated, by one writer or by two at once, and trimmed.

const subjects = new Subjects('test')
const server = await startNats({ synced: false })
const connection = await connect({ servers: server.url, user: server.user, pass: server.password })
t.teardown(async () => {
  await connection.close()
  await server.stop()
})
await ensureStreams(connection, subjects)
const manager = await jetstreamManager(connection, { checkAPI: false })
const client = jetstream(connection)
/** What nobody of the venue has written is between the rest, and passed over. */
const passOver = (): void => undefined
const feedStore = new JetStreamFeedStore(connection, feedsOf(subjects), passOver)
const pages = new FeedPages(feedStore)
const junk = ['', '{', 'null', '[]', '{"v":1,"seq":"7"}', '{"v":1,"seq":-7}']
const stored = (account: string, seq: number) => JSON.stringify({ v: 1, seq, account, time: '2026-01-01T00:00:00.000Z', type: 'settled', trades: [`A-B:${seq}`], transaction: 'x', ledger: seq, receipts: { sequence: 1, size: 2, from: 1, leaves: [0] } })

interface Run {
  /** How far back it begins before the number that would be next, and how long it is. */
  readonly back: number
  readonly length: number
  /** Whether its writer goes on while the next one writes: the order of the two, as one bit for each message. */
  readonly beside: readonly boolean[]
}
const run: fc.Arbitrary<Run> = fc.record({ back: fc.nat(12), length: fc.integer({ min: 1, max: 30 }), beside: fc.array(fc.boolean(), { maxLength: 20 }) })

/**
 * The numbers of one account in the order in which its writers store them. Each begins no further than one behind what the one before it had stored when it was
 * replaced, whatever that one stores afterwards; the last one gets to the end.
 */
function written(runs: readonly Run[]): number[] {
  const order: number[] = []
  let [stored, known] = [0, 0]
  let old = { next: 1, last: 0 }
  for (const { back, length, beside } of runs) {
    let next = Math.max(1, stored + 1 - back)
    known = Math.max(known, next + length - 1)
    for (const oldWrites of beside) {
      if (oldWrites && old.next <= old.last) order.push(old.next++)
      else if (next <= known) order.push(next++)
    }
    // The old writer is gone by now; this one may have more to say when the next begins.
    while (next <= known - 6) order.push(next++)
    old = { next, last: known }
    stored = next - 1
  }
  while (old.next <= old.last) order.push(old.next++)
  return order
}

async function store(feeds: Readonly<Record<string, readonly number[]>>, mix: readonly number[]): Promise<void> {
  await manager.streams.purge(subjects.feedStream)
  const left = Object.entries(feeds).map(([account, order]) => ({ account, order: [...order] }))
  let [step, text] = [0, '']
  for (;;) {
    const some = left.filter(({ order }) => order.length > 0)
    if (some.length === 0) break
    const { account, order } = some[(mix[step++ % mix.length] ?? 0) % some.length]!
    text = stored(account, order.shift()!)
    const stranger = junk[mix[step % mix.length]! * 2 + (step % 2) - 2]
    if (stranger !== undefined && step % 3 === 0) connection.publish(subjects.feed(account as AccountId), stranger)
    connection.publish(subjects.feed(account as AccountId), text)
    if (stranger !== undefined && step % 3 !== 0) connection.publish(subjects.feed(account as AccountId), stranger)
  }
  // Stored in order: an acknowledgement for this one, which belongs to nobody, speaks for all.
  await client.publish(subjects.feed('GZ' as AccountId), text)
}

const between = (first: number, last: number): number[] => Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n)

async function check(account: AccountId, oldest: number, newest: number, asked: readonly { at: number; limit: number }[]): Promise<void> {
  for (const { at, limit } of asked) {
    const after = at % (newest + 3)
    if (after + 1 < oldest && after < newest) {
      const error = await pages.after(account, after, limit).then(() => null, (error: unknown) => error)
      if (!(error instanceof FeedTrimmed && error.oldest === oldest)) throw new Error(`after ${after}: kept from ${oldest} on, and got ${String(error)}`)
    } else same(`after ${after}, ${limit}`, await pages.after(account, after, limit), between(after + 1, Math.min(newest, after + limit)), after, Math.min(newest, after + limit) < newest)
    const [before, end] = at % 5 === 0 ? [null, newest] : [after, Math.min(newest, after - 1)]
    const first = Math.max(oldest, end - limit + 1)
    same(`before ${before}, ${limit}`, await pages.before(account, before, limit), between(first, end).reverse(), before ?? 0, end >= oldest && first > oldest)
  }
}

function same(what: string, page: Awaited<ReturnType<FeedPages['after']>>, seqs: readonly number[], asked: number, more: boolean): void {
  const found = { seqs: page.messages.map(({ seq }) => seq), last: page.last, more: page.more }
  const expected = { seqs, last: seqs.at(-1) ?? asked, more }
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`)
}

const asked = fc.array(fc.record({ at: fc.nat(), limit: fc.integer({ min: 1, max: 40 }) }), { minLength: 4, maxLength: 8 })

t.test('every page is what an array would give, whatever is repeated, between and trimmed', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 8 }), fc.array(run, { maxLength: 8 }), fc.array(fc.nat(5), { minLength: 1 }), fc.nat(), asked, async (one, other, mix, trim, asked) => {
      const order = written(one)
      // An old writer's last word may stand last for a while: the next test's case.
      fc.pre(order.at(-1) === Math.max(...order))
      await store({ GA: order, GB: written(other) }, mix)
      const newest = Math.max(...order)
      await check('GA' as AccountId, 1, newest, asked)
      const { state } = await manager.streams.info(subjects.feedStream)
      await manager.streams.purge(subjects.feedStream, { seq: state.first_seq + (trim % state.messages) })
      const kept: number[] = []
      for (let place = 1; ; ) {
        const [message] = await feedStore.from('GA' as AccountId, place, 1)
        if (message === undefined) break
        kept.push(message.message.seq)
        place = message.place + 1
      }
      const [oldest] = kept
      if (oldest === undefined) return
      if (between(oldest, newest).every((seq) => kept.includes(seq))) await check('GA' as AccountId, oldest, newest, asked)
      // What stands first may be an old writer's last word, with the numbers behind it gone: then the feed is told to begin behind those.
      const walked: number[] = []
      for (let after = oldest - 1, more = true; more; ) {
        const page = await pages.after('GA' as AccountId, after, 7).catch((error: unknown) => error as Error)
        if (page instanceof FeedTrimmed && page.oldest > after + 1) after = page.oldest - 1
        else if (page instanceof Error) throw page
        else {
          walked.push(...page.messages.map(({ seq }) => seq))
          ;({ last: after, more } = page)
        }
      }
      const gone = between(1, newest).filter((seq) => seq < oldest || !kept.includes(seq)).at(-1) ?? 0
      if (walked.some((seq, n) => seq <= (walked[n - 1] ?? 0) || !kept.includes(seq)) || String(walked.filter((seq) => seq > gone)) !== String(between(gone + 1, newest))) throw new Error(`${walked.join()} of ${kept.join()}`)
    }),
    { numRuns: 50 },
  )
  t.pass()
})

t.test('while a lower number stands last, pages end early and leave nothing out', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 8 }), fc.nat(), asked, async (runs, cut, asked) => {
      const whole = written(runs)
      const order = whole.slice(0, 1 + (cut % whole.length))
      await store({ GA: order }, [0])
      const newest = Math.max(...order)
      for (const { at, limit } of asked) {
        const after = at % (newest + 2)
        const { messages } = await pages.after('GA' as AccountId, after, limit)
        const seqs = messages.map(({ seq }) => seq)
        if (String(seqs) !== String(between(after + 1, after + seqs.length)) || seqs.length > limit || (seqs.at(-1) ?? 0) > newest) throw new Error(`${seqs.join()} after ${after} of ${order.join()}`)
      }
    }),
    { numRuns: 40 },
  )
  t.pass()
})

t.test('a server that is killed while a page is read, and has lost its last messages, leaves nothing out of it', async (t) => {
  const owner = 'GA' as AccountId
  const at = (place: number, seq: number): StoredMessage<FeedMessage> => ({ place, bytes: 100, message: JSON.parse(stored(owner, seq)) as FeedMessage })
  // Somebody else's are between them, and are not stored again so soon: so the same numbers come to stand at lower places.
  const before = between(1, 60).map((seq) => at(seq * 2, seq))
  for (const { lost, repeated } of [{ lost: 1, repeated: 0 }, { lost: 8, repeated: 3 }, { lost: 20, repeated: 0 }, { lost: 35, repeated: 5 }]) {
    const left = 60 - lost
    const after = [...before.slice(0, left), ...between(left + 1 - repeated, 80).map((seq, n) => at(left * 2 + 1 + n, seq))]
    for (let killedAt = 0; killedAt < 20; killedAt++) {
      let calls = 0
      const now = () => (calls++ < killedAt ? before : after)
      const killed = new FeedPages<FeedMessage>({ last: async () => now().at(-1) ?? null, from: async (_owner, from, most) => now().filter(({ place }) => place >= from).slice(0, most) })
      const name = `${lost} lost, ${repeated} more repeated, at call ${killedAt}`
      // Or it says that whoever asks should ask again.
      const numbers = (page: Promise<FeedPage>) => page.then(({ messages }) => messages.map(({ seq }) => seq)).catch((error: unknown) => (error instanceof Refusal && error.code === 'history_unavailable' ? 'again' : error))
      const [there, back] = [await numbers(killed.after(owner, 40, 10)), await numbers(((calls = 0), killed.before(owner, 55, 10)))]
      if (there !== 'again' || killedAt === 0) t.strictSame(there, between(41, 50), name)
      if (back !== 'again' || killedAt === 0) t.strictSame(back, between(45, 54).reverse(), `backwards: ${name}`)
    }
  }
})

t.test('a feed of nobody is empty; a page is bounded in bytes too', async (t) => {
  t.strictSame(await pages.after('GX' as AccountId, 0, 10), { messages: [], last: 0, more: false })
  t.strictSame(await pages.before('GX' as AccountId, null, 10), { messages: [], last: 0, more: false })
  t.equal(await pages.newest('GX' as AccountId), 0)
  const trades = Array.from({ length: 60_000 }, (_, n) => `XLM-USDC:${n}`)
  for (let seq = 1; seq <= 12; seq++) await client.publish(subjects.feed('GL' as AccountId), JSON.stringify({ v: 1, seq, account: 'GL', time: '', type: 'settled', trades, transaction: 'x', ledger: 1, receipts: { sequence: 1, size: 2 * trades.length, from: 1, leaves: trades.map((_trade, n) => n) } }))
  const forward = await pages.after('GL' as AccountId, 2, 10)
  t.ok(forward.messages.length < 10 && forward.more && forward.messages[0]?.seq === 3)
  const back = await pages.before('GL' as AccountId, null, 10)
  t.ok(back.messages.length < 10 && back.more && back.messages[0]?.seq === 12)
  t.equal((await pages.before('GL' as AccountId, back.last, 1)).messages[0]?.seq, back.last - 1)
})

t.test('nothing is left behind at the server, and no more is read at once than may be', async (t) => {
  await store({ GA: between(1, 500) }, [0])
  const results = await Promise.allSettled(Array.from({ length: 3_000 }, (_, n) => pages.after('GA' as AccountId, n % 500, 5)))
  const refused = results.filter((result) => result.status === 'rejected')
  t.ok(refused.length > 0 && refused.every(({ reason }) => (reason as { code?: string }).code === 'venue_overloaded'))
  t.equal((await manager.streams.info(subjects.feedStream)).state.consumer_count, 0)
  t.equal((await pages.after('GA' as AccountId, 100, 5)).last, 105)
})

t.test('a feed in which more than a few thousand in a row are nothing that the venue wrote cannot be read, and costs no more than that', async (t) => {
  await manager.streams.purge(subjects.feedStream)
  const fill = async (count: number): Promise<void> => {
    for (let left = count; left > 1; left--) connection.publish(subjects.feed('GA' as AccountId), '{')
    await client.publish(subjects.feed('GA' as AccountId), '{')
  }
  await client.publish(subjects.feed('GA' as AccountId), stored('GA', 1))
  await fill(4_000)
  await client.publish(subjects.feed('GA' as AccountId), stored('GA', 2))
  await fill(4_000)
  t.strictSame((await pages.before('GA' as AccountId, null, 10)).messages.map(({ seq }) => seq), [2, 1])
  t.strictSame((await pages.after('GA' as AccountId, 0, 10)).messages.map(({ seq }) => seq), [1, 2])
  await fill(1_000)
  await t.rejects(pages.newest('GA' as AccountId), { code: 'history_unavailable' })
  t.equal(await pages.newest('GB' as AccountId), 0, 'others are not touched')
})

t.test('the log tells of what was passed over, once in a while, and of nothing in it', (t) => {
  const lines: string[] = []
  let now = 0
  const log = gatewayLog(new Writable({ write: (chunk: Buffer, _encoding, done) => (lines.push(chunk.toString()), done()) }))
  const unreadable = unreadableLog(log, () => now)
  for (let place = 1; place <= 100; place++) unreadable('feeds', place)
  t.equal(lines.length, 1)
  now = 60_000
  unreadable('feeds', 101)
  t.match(lines.map((line) => JSON.parse(line) as object), [
    { level: 'error', at: 'feeds#unreadable', ids: { alarm: 'feed_unreadable', stream: 'feeds', place: 1, met: 1 } },
    { level: 'error', at: 'feeds#unreadable', ids: { alarm: 'feed_unreadable', stream: 'feeds', place: 101, met: 100 } },
  ])
  t.end()
})

t.test('a server that is away is told as such, and is found again', async (t) => {
  const away = await startNats()
  const link = await connect({ servers: away.url, user: away.user, pass: away.password, maxReconnectAttempts: -1, reconnectTimeWait: 50 })
  t.teardown(async () => {
    await link.close()
    await away.stop()
  })
  const there = new FeedPages(new JetStreamFeedStore(link, feedsOf(subjects)))
  await t.rejects(there.newest('GA' as AccountId), { code: 'history_unavailable' }, 'no stream')
  await ensureStreams(link, subjects)
  await jetstream(link).publish(subjects.feed('GA' as AccountId), stored('GA', 1))
  t.equal(await there.newest('GA' as AccountId), 1)
  await away.kill()
  await t.rejects(there.newest('GA' as AccountId), { code: 'history_unavailable' }, 'no server')
  await away.restart()
  await until('the server answers again', () => there.newest('GA' as AccountId).then((seq) => seq >= 0, () => false))
})

t.test('a stream of three copies is read from whichever server is asked', async (t) => {
  const servers = await startNatsCluster(3)
  const links = await Promise.all(servers.map(({ url, user, password }) => connect({ servers: url, user, pass: password, maxReconnectAttempts: -1 })))
  t.teardown(async () => {
    await Promise.all(links.map((link) => link.close()))
    await Promise.all(servers.map((one) => one.stop()))
  })
  await ensureStreams(links[0]!, subjects, 3)
  const order = [...between(1, 80), ...between(70, 120), ...between(111, 300)]
  for (const [n, seq] of order.entries()) {
    const account = n % 3 === 0 ? 'GB' : 'GC'
    links[0]!.publish(subjects.feed(account as AccountId), stored(account, n))
    await jetstream(links[0]!).publish(subjects.feed('GA' as AccountId), stored('GA', seq))
  }
  for (const link of links) {
    const here = new FeedPages(new JetStreamFeedStore(link, feedsOf(subjects)))
    await until('this copy has all', async () => (await here.newest('GA' as AccountId)) === 300)
    for (const after of [0, 50, 75, 115, 260]) t.strictSame((await here.after('GA' as AccountId, after, 40)).messages.map(({ seq }) => seq), between(after + 1, after + 40))
    t.strictSame((await here.before('GA' as AccountId, null, 10)).messages.map(({ seq }) => seq), between(291, 300).reverse())
  }
})
