import { jetstreamManager } from '@nats-io/jetstream'
import t from 'tap'
import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import { driveSettings } from '../../src/actors/pair/settingsDriver.ts'
import { Actor } from '../../src/actors/runtime/actor.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { JetStreamJournal } from '../../src/actors/runtime/jetstreamJournal.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats, NatsTransport } from '../../src/actors/runtime/transport.ts'
import { TapeGap, VenueReader } from '../../src/client/venueReader.ts'
import { encode } from '../../src/protocol/codec.ts'
import type { Amount, Lots, MarketName, Milliseconds, OrderId, Seconds, Ticks } from '../../src/protocol/identity.ts'
import type { PairMessage } from '../../src/protocol/pair.ts'
import { pairActor, vaultOf } from '../../src/protocol/subjects.ts'
import type { TapePrint } from '../../src/protocol/tape.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import { LogLines, ManualClock } from '../runtime/world.ts'
import { until } from '../settlement/waiting.ts'
import { addressFor, connectAs, openSubscriberStage } from '../subscribers/stage.ts'
import { call, refused } from './call.ts'
import { marketName } from './fakeVault.ts'
import { StreamClient } from './streams/streamClient.ts'

// A real market with a tape, on a real nats-server, and everybody who could look at it: over HTTP, a stream, NATS, the client, and the stream's own numbers.

const stage = await openSubscriberStage()
t.teardown(() => stage.close())
const { venue, url } = stage
const { subjects } = venue
await ensureStreams(stage.venueLink, subjects)
await stage.pair.close()
const other = 'EURC-USDC' as MarketName
const market = venue.markets.get(marketName)!
const rules = market.rules.tape!
const DELAY_MS = rules.delay_s * 1_000
/** At the beginning of an interval. */
const clock = new ManualClock(1_800_000_000_000)
const name = pairActor(marketName)
const [ann, ben] = [addressFor('ann'), addressFor('ben')]

let running: { actor: Actor; machine: PairMachine; stop: () => Promise<void> }
async function start(): Promise<void> {
  const connection = await connectNats({ servers: [stage.nats.url], user: stage.nats.user, password: stage.nats.password }, name)
  const log = new LogLines()
  const machine = new PairMachine(market, venue)
  const actor = new Actor({ name, machine, journal: new JetStreamJournal(connection, subjects.journalStream, subjects.journal(name), log), transport: new NatsTransport(connection), feed: new JetStreamFeed(connection, subjects), subjects, clock, log })
  await actor.start()
  driveSettings(actor, { tape: machine.tapeRules, fees: machine.fees }, { tape: rules, fees: machine.fees }, log)
  await until('it knows its rules', () => machine.tapeRules !== null)
  const stop = async (): Promise<void> => {
    actor.stop()
    await connection.close()
  }
  running = { actor, machine, stop }
}
await start()
t.teardown(() => running.stop())

let orders = 0
const sent = new Map<string, number>()
/** Reaches the market as a vault actor's message does. */
function tell(message: PairMessage): void {
  const from = vaultOf(message.account, venue.file.vaultPartitions)
  const first = (sent.get(from) ?? 0) + 1
  sent.set(from, first)
  stage.venueLink.publish(subjects.peers(name), encode({ from, first, items: [message] }))
}
function place(account: typeof ann, side: 'buy' | 'sell', lots: number, ticks: number): void {
  const number = ++orders
  const order = { order: `secret-order-${number}` as OrderId, number, account, signer: null, side, lots: lots as Lots, ticks: ticks as Ticks, spend: 0n as Amount, timeInForce: 'GTC', mayRest: true, terms: plainTerms } as const
  tell({ kind: 'place', ...order, expires: 2_000_000_000 as Seconds, created: clock.time as Milliseconds, reply: null })
}
async function trade(lots: number, ticks: number): Promise<void> {
  const { trades } = running.machine
  place(ann, 'sell', lots, ticks)
  place(ben, 'buy', lots, ticks)
  await until('it traded', () => running.machine.trades === trades + 1)
}
async function pass(span_ms: number): Promise<void> {
  await clock.pass(span_ms)
  // Whatever time has set off has been journaled, and whatever could be published has been.
  const { records } = running.actor.status
  await trade(2, 1)
  await until('the journal went on', () => running.actor.status.records > records)
}

const heard: TapePrint[] = []
const trader = await connectAs(stage, { key: 'cara' })
t.teardown(() => trader.close())
trader.subscribe(subjects.tape(marketName), { callback: (_, message) => void heard.push(message.json<TapePrint>()) })
await trader.flush()
const watching = await StreamClient.open(url)
t.teardown(() => watching.close())
t.equal((await watching.ask('subscribe', { channels: ['tape'] })).status, 200)
await watching.until('where it begins', ({ type, channel }) => type === 'snapshot' && channel === 'tape')
const followed: TapePrint[] = []
const end = new AbortController()
const following = (async () => {
  for await (const print of new VenueReader(url).prints({ signal: end.signal, markets: [marketName] })) followed.push(print)
})()
t.teardown(async () => {
  end.abort()
  await following
})
const manager = await jetstreamManager(stage.venueLink, { checkAPI: false })

/** Of an answer, what depends on more than the clock and on who has asked how often. */
async function seen(path: string): Promise<unknown> {
  const { status, headers, json } = await call(url, 'GET', path)
  const { requestId: _, ...body } = json
  return { status, body, headers: [...headers].filter(([header]) => header !== 'date' && header !== 'ratelimit') }
}
/** Everything that anybody outside could look at. */
async function observed(): Promise<unknown> {
  const { state } = await manager.streams.info(subjects.tapeStream, { subjects_filter: '>' })
  const tape = `/api/v1/markets/${marketName}/tape`
  return {
    pages: await Promise.all([tape, `${tape}?limit=1`, `${tape}?cursor=1`, `${tape}?cursor=1000`, '/api/v1/markets'].map(seen)),
    stream: [state.messages, state.bytes, state.last_seq, state.num_subjects],
    told: [heard.length, followed.length, watching.sent.filter(({ type }) => type !== 'heartbeat' && type !== 'answer').length],
  }
}

t.test('before it is time there is nothing to be seen, whatever is traded and whatever restarts', async (t) => {
  const before = await observed()
  await trade(rules.roundLots * 3 + 7, 120)
  await trade(rules.roundLots * 2, 110)
  t.same(await observed(), before, 'traded')
  await pass(DELAY_MS)
  await trade(rules.roundLots, 130)
  t.same(await observed(), before, 'the interval has ended')
  await running.stop()
  await start()
  t.equal(running.machine.trades, 4)
  t.same(await observed(), before, 'restarted')
  await pass(DELAY_MS - 1)
  t.same(await observed(), before, 'a moment before')
})

t.test('then it is printed, with the same numbers on each way, and nobody is named', async (t) => {
  await pass(1)
  await until('each heard', () => heard.length === 2 && followed.length === 2 && watching.updates('tape').length === 2)
  const from = new Date(1_800_000_000_000).toISOString()
  const print = (seq: number, price: string, quantity: string) => ({ v: 1, seq, market: marketName, type: 'print', from, until: new Date(1_800_000_000_000 + DELAY_MS).toISOString(), price, quantity })
  const expected = [print(1, '0.011', '20'), print(2, '0.012', '30')]
  t.strictSame(heard, expected)
  t.strictSame(followed, expected)
  t.strictSame(watching.updates('tape').map(({ data }) => data), expected)
  t.strictSame(watching.updates('tape').map(({ seq, prev }) => [seq, prev]), [[1, 0], [2, 1]])
  const listed = expected.map(({ v: _v, type: _t, market: _m, ...shown }) => shown).reverse()
  t.strictSame((await call(url, 'GET', `/api/v1/markets/${marketName}/tape`)).json, { prints: listed, next: null })
  t.strictSame((await call(url, 'GET', `/api/v1/markets/${marketName}/tape?limit=1`)).json, { prints: listed.slice(0, 1), next: '2' })
  t.strictSame((await call(url, 'GET', `/api/v1/markets/${marketName}/tape?limit=1&cursor=2`)).json, { prints: listed.slice(1), next: null })
  const paged: unknown[] = []
  for await (const one of new VenueReader(url).tape(marketName, { page: 1 })) paged.push(one)
  t.strictSame(paged, listed)
  const told = JSON.stringify([heard, watching.sent])
  for (const secret of [ann, ben, 'secret-order', `${marketName}:`, 'vault.']) t.notOk(told.includes(secret), secret)
})

t.test('once each, whatever is published again', async (t) => {
  await running.stop()
  await start()
  for (const print of heard.slice(0, 2)) stage.venueLink.publish(subjects.tape(marketName), JSON.stringify(print))
  await pass(DELAY_MS)
  await until('the next was heard', () => heard.at(-1)?.seq === 3 && followed.length === 3 && watching.updates('tape').length === 3)
  t.match(followed[2], { seq: 3, price: '0.013', quantity: '10' })
  const { prints } = (await call(url, 'GET', `/api/v1/markets/${marketName}/tape`)).json as { prints: { seq: number }[] }
  t.strictSame(prints.map(({ seq }) => seq), [3, 2, 1])
})

t.test('resumed from a number: what came behind it, and then what comes', async (t) => {
  const reader = new VenueReader(url)
  const prints = reader.prints({ tapeAfter: { [marketName]: 1 } })
  const seqs: number[] = []
  for await (const { seq } of prints) if (seqs.push(seq) === 2) break
  t.strictSame(seqs, [2, 3])
  const stream = await StreamClient.open(url)
  t.teardown(() => stream.close())
  const ask = (members: object) => stream.ask('subscribe', { channels: ['tape'], ...members })
  t.equal((await ask({ tapeAfter: { [marketName]: 4 } })).problem?.code, 'resume_ahead')
  t.equal((await ask({ tapeAfter: { 'AAA-BBB': 1 } })).problem?.code, 'request_malformed')
  t.equal((await ask({ tapeAfter: { [marketName]: -1 } })).problem?.code, 'request_malformed')
  t.equal((await ask({ markets: ['AAA-BBB'] })).problem?.code, 'market_unknown')
  t.equal((await ask({ markets: [other] })).problem?.code, 'tape_off')
  t.equal((await stream.ask('subscribe', { channels: ['market', 'tape'], markets: [marketName, other] })).problem?.code, 'tape_off')
  t.equal((await ask({ tapeAfter: { [marketName]: 2 } })).status, 200)
  await stream.until('the third', ({ channel, seq }) => channel === 'tape' && seq === 3)
  t.strictSame((await stream.ask('unsubscribe', { channels: ['tape'] })).body, { channels: [] })
  await manager.streams.purge(subjects.tapeStream, { filter: subjects.tape(marketName), seq: 3 })
  // A gateway that has not followed the tape yet knows only what is kept.
  const fresh = await openSubscriberStage()
  t.teardown(() => fresh.close())
  await ensureStreams(fresh.venueLink, subjects)
  for (const print of followed.slice(2)) fresh.venueLink.publish(subjects.tape(marketName), JSON.stringify(print))
  await fresh.venueLink.flush()
  await t.rejects(new VenueReader(fresh.url).prints({ tapeAfter: { [marketName]: 1 } }).next(), TapeGap)
})

t.test('a market without a tape says so, on every way', async (t) => {
  refused(t, await call(url, 'GET', `/api/v1/markets/${other}/tape`), 'tape_off')
  const violations: string[] = []
  trader.subscribe(subjects.tape(other), { callback: (error) => void violations.push(String(error?.message)) })
  trader.subscribe(subjects.allTapes, { callback: (error) => void violations.push(String(error?.message)) })
  await until('both were refused', () => violations.length === 2)
  for (const violation of violations) t.match(violation, /ermission/i)
  const { markets } = (await call(url, 'GET', '/api/v1/markets')).json as { markets: { tape: unknown }[] }
  t.strictSame(markets.map(({ tape }) => tape), [{ delay_s: rules.delay_s, quantityStep: '10', priceStep: '0.0001' }, null])
})
