import specs from '@asyncapi/specs'
import { jetstream } from '@nats-io/jetstream'
import { Ajv } from 'ajv'
import t from 'tap'
import { keyAccess } from '../../src/client/natsAccess.ts'
import { NatsRequests } from '../../src/client/natsRequests.ts'
import { Client } from '../../src/client/client.ts'
import type { Operation } from '../../src/protocol/nats.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import type { FeedEvent } from '../../src/protocol/feed.ts'
import type { TapePrint } from '../../src/protocol/tape.ts'
import type { OrderState } from '../../src/protocol/vault.ts'
import { orderView } from '../../src/protocol/view.ts'
import { refusal } from '../venue/venueUnderTest.ts'
import { until } from '../settlement/waiting.ts'
import { connectAs, keypairFor, openSubscriberStage } from '../subscribers/stage.ts'
import { marketName, resting } from './fakeVault.ts'
import type { Script } from './fakeVault.ts'
import { MessageRecorder } from './messageRecorder.ts'
import { openStage, trader } from './stage.ts'
import { StreamClient } from './streams/streamClient.ts'

// Every message of the served AsyncAPI description passes, over WebSocket and NATS, as it is described there.

const stage = await openSubscriberStage((file) => ({ ...file, nats: { ...file.nats, addresses: ['nats://pool.example:4222', 'tls://pool.example:4223'] } }), undefined, { streams: { heartbeat_ms: 300 } })
t.teardown(() => stage.close())
await stage.feeds.open()
const alice = trader('alice')
const client = await Client.open(stage.url, alice)
const id = 'ab'.repeat(32)
const market = stage.venue.markets.get(marketName)!
const order = {
  id, clientOrderId: 'mine', account: alice.address, market: marketName, side: 'buy', type: 'limit', ticks: 1_200, lots: 50, spend: 0n, timeInForce: 'GTC', terms: plainTerms, expires: 2_000_000_000,
  status: 'open', reason: null, filledLots: 30, filledQuote: 1_500n, created: 3, updated: 7,
} as unknown as OrderState
const outcome = { order: id, status: 'open', reason: null, ticks: 1_200, lots: 50, filledLots: 30, filledQuote: 1_500n, created: 3, time: 5 }
const balances = stage.venue.assets.map(({ contract }) => ({ asset: contract, settled: 1n, pending: -1n, reserved: 0n, available: 0n }))
let fed = 0
const script: Script = (asked) => {
  switch (asked.kind) {
    case 'place': return resting(asked)
    case 'amend': return { answer: { ok: outcome }, from: pairActor(marketName) }
    case 'cancel': return { answer: { ok: { ...outcome, status: 'cancelled', reason: 'cancelled' } }, from: pairActor(marketName) }
    case 'cancelAll': return { answer: { ok: { id, cancelled: 1, markets: [], halted: [] } } }
    case 'deadMan': return { answer: { ok: { signer: alice.address, timeout_ms: 30_000, deadline: 1_800_000_000_000, waiting: [] } } }
    case 'balances': return { answer: { ok: balances } }
    case 'orders': return { answer: { ok: [order] } }
    case 'standing': return { answer: { ok: { fed, orders: [order], balances } } }
    default: return { answer: { refused: 'internal_error' } }
  }
}
stage.vault.script = script

const transaction = 'cd'.repeat(32)
const events: readonly FeedEvent[] = [
  { type: 'order', order: orderView(order, market) },
  { type: 'fill', trade: 'XLM-USDC:1', order: id, market: marketName, side: 'buy', role: 'maker', price: '0.1', quantity: '5', quote: '0.5', fee: '0.005', feeAsset: 'XLM' },
  { type: 'settled', trades: ['XLM-USDC:1'], transaction, ledger: 7, receipts: { sequence: 1, size: 2, from: 1, leaves: [0] } },
  { type: 'deposit', asset: 'XLM', amount: '7', transaction, ledger: 9 },
  { type: 'withdrawal', withdrawal: { id, asset: 'XLM', amount: '1', status: 'requested', authorization: null, validUntil: null, transaction: null, ledger: null } },
  { type: 'key', key: trader('bot').address, scope: 'trade', market: 'all', until: '2027-01-01T00:00:00.000Z', status: 'active' },
]
async function happen(): Promise<void> {
  fed += events.length
  await stage.feeds.store(alice.address, ...events)
  const print: TapePrint = { v: 1, seq: fed / events.length, market: marketName, type: 'print', from: '2026-11-28T00:00:00.000Z', until: '2026-11-28T00:01:00.000Z', price: '0.1', quantity: '20' }
  await jetstream(stage.venueLink).publish(stage.venue.subjects.tape(marketName), JSON.stringify(print))
}
const placed = () => client.signOrder(marketName, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })

t.test('the description is AsyncAPI 3.0', async (t) => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(specs.schemasWithoutId['3.0.0'] as object)
  const { document } = stage.messages
  t.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 5)))
  t.notOk(validate({ ...document, operations: { ...document.operations, ping: { action: 'hear' } } }), 'it can fail')
  const known = new Set(Object.entries(document.channels).flatMap(([channel, { messages }]) => Object.keys(messages).map((name) => `#/channels/${channel}/messages/${name}`)))
  const named = Object.values(document.operations).flatMap(({ messages, reply }) => [...messages, ...(reply?.messages ?? [])].map(({ $ref }) => $ref))
  t.strictSame(named.filter((ref) => !known.has(ref)), [], 'every message of an operation is one of its channel')
})

t.test('a venue whose traders have no NATS says nothing of it', async (t) => {
  const plain = await openStage()
  t.teardown(() => plain.close())
  const { channels, servers } = (await Client.open(plain.url, alice).then((one) => one.streamsDescription())) as { channels: object; servers: object }
  t.strictSame([Object.keys(channels), Object.keys(servers)], [['stream'], ['gateway']])
})

t.test('every message of a stream', async (t) => {
  const stream = await StreamClient.open(stage.url)
  t.teardown(() => stream.close())
  const { recorder } = stream
  const expected = Object.keys(recorder.document.channels.stream!.messages)
  const ok = async (op: string, members: object): Promise<void> => {
    const answer = await stream.ask(op, members)
    t.ok(answer.status! < 300, `${op}: ${answer.problem?.code}`)
  }
  await ok('ping', {})
  t.equal((await stream.ask('subscribe', { channels: ['orders'] })).problem?.code, 'login_missing')
  await ok('login', { token: await client.login() })
  await ok('subscribe', { channels: ['orders', 'fills', 'settlement', 'keys', 'balances', 'market', 'tape'] })
  await happen()
  stage.pair.status = { ...stage.pair.status!, state: 'halted' }
  await ok('place', await placed())
  await ok('amend', await client.signAmend(id, '0.12', '50'))
  await ok('cancel', await client.signCancel(id))
  await ok('cancelAll', await client.signCancelAll(marketName))
  await ok('deadMan', await client.signDeadMan(30))
  await ok('placeBatch', { messages: [await placed()] })
  await ok('cancelBatch', { messages: [await client.signCancel(id)] })
  for (const op of expected.filter((name) => name.endsWith('Answer')).map((name) => name.slice(0, -'Answer'.length))) {
    t.equal((await stream.ask(op, { nonsense: true })).problem?.code, 'request_malformed', op)
    // Too much nonsense in a row would end the connection.
    await ok('ping', {})
  }
  t.equal((await stream.ask('dance')).problem?.code, 'request_malformed')
  await until('all of it', () => expected.every((name) => name.startsWith('unsubscribe') || recorder.seen.has(name)))
  await ok('unsubscribe', { channels: ['orders'] })
  t.strictSame(expected.filter((name) => !recorder.seen.has(name)), [])
  t.strictSame(recorder.faults, [])
})

t.test('every message over NATS', async (t) => {
  const connection = await connectAs(stage, { key: 'alice' })
  t.teardown(() => connection.close())
  const asked = new NatsRequests(connection, 'local', keyAccess(keypairFor('alice').secret()))
  await happen()
  await asked.send(await placed())
  await asked.send(await client.signAmend(id, '0.12', '50'))
  await asked.send(await client.signCancel(id))
  await asked.send(await client.signCancelAll(marketName))
  await asked.send(await client.signDeadMan(30))
  await asked.sendAll([await placed()])
  await asked.sendAll([await client.signCancel(id)])
  await asked.balances()
  await asked.openOrders()
  t.equal((await asked.replay(0)).last, fed)
  t.equal(await refusal(asked.replay(-1)), 'request_malformed')
  const malformed = async (operation: Operation, body: object): Promise<void> => {
    const { data } = await connection.request(stage.venue.subjects.traderRequest(alice.address as AccountId, alice.address as AccountId, operation), JSON.stringify(body), { timeout: 20_000 })
    t.equal((JSON.parse(data.toString()) as { body: { code: string } }).body.code, 'request_malformed')
  }
  for (const action of ['order', 'amend', 'cancel', 'cancelAll', 'deadMan', 'dance']) await malformed('orders', { message: { action } })
  for (const action of ['order', 'cancel']) await malformed('orders', { messages: [{ message: { action } }] })
  for (const operation of ['replay', 'balances', 'openOrders'] as const) await malformed(operation, { nonsense: true })
  const { channels } = stage.messages.document
  const expected = Object.entries(channels).filter(([channel]) => channel !== 'stream').flatMap(([, { messages }]) => Object.keys(messages))
  await until('all of it is heard', () => expected.every((name) => stage.messages.seen.has(name)))
  t.strictSame(stage.messages.faults, [])
})

t.test('what is not as described is noticed', async (t) => {
  const { messages } = stage
  const other = new MessageRecorder(messages.document)
  other.streamMessage('s', { type: 'hello' })
  other.natsMessage('dp.v1.local.feed.G', undefined, Buffer.from(JSON.stringify({ v: 1, seq: 1, account: 'G', time: '', ...events[1], more: 1 })))
  other.natsMessage('dp.v1.local.trader.G.G.balances', '_INBOX_G.1', Buffer.from('{}'))
  other.natsMessage('_INBOX_G.1', undefined, Buffer.from('{"status":200,"body":{"balances":[{}]}}'))
  t.equal(other.faults.length, 3)
  t.throws(() => other.assertDocumented(), /the document does not describe/)
})
