import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import t from 'tap'
import type { Test } from 'tap'
import { paths } from '../../scripts/setup/paths.ts'
import { pythonTool } from '../../scripts/setup/pythonTools.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { Client } from '../../src/client/client.ts'
import { OutcomeUnknown } from '../../src/client/errors.ts'
import { readFeed } from '../../src/client/feed.ts'
import { FeedKeyring, SealBroken } from '../../src/client/feedKeyring.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import type { NatsAccess } from '../../src/client/natsAccess.ts'
import { NatsRequests } from '../../src/client/natsRequests.ts'
import { NatsTransport } from '../../src/client/natsTransport.ts'
import { FeedSeal, SealBroken as NotSealed } from '../../src/enclave/feedSeal.ts'
import { feedKeys } from '../../src/enclave/feedKeys.ts'
import type { FeedEvent, FeedMessage } from '../../src/protocol/feed.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { SEAL_HEADING_BYTES } from '../../src/protocol/seal.ts'
import type { FeedKeysView } from '../../src/protocol/seal.ts'
import { marketName, resting } from '../gateway/fakeVault.ts'
import { call } from '../gateway/call.ts'
import { testSecrets, trader } from '../gateway/stage.ts'
import { StreamClient } from '../gateway/streams/streamClient.ts'
import { until } from '../settlement/waiting.ts'
import { refusal } from '../venue/venueUnderTest.ts'
import { addressFor, connectAs, keypairFor, openSubscriberStage, testKeys } from './stage.ts'

// A venue whose nats-server is not to read what its traders do.

const stage = await openSubscriberStage((file) => ({ ...file, nats: { ...file.nats, sealed: 1, addresses: file.nats.servers } }))
t.teardown(() => stage.close())
const { subjects } = stage.venue
await ensureStreams(stage.venueLink, subjects)
const keysOf = async (sealed: number) => (await feedKeys(testSecrets, { ...stage.venue.file, nats: { ...stage.venue.file.nats, sealed } }))!
const keys = await keysOf(1)
const [alice, bob] = [addressFor('alice'), addressFor('bob')]
const ORDER = 'ab'.repeat(32)
const PRICE = '0.98765'
const fill: FeedEvent = { type: 'fill', trade: `${marketName}:1`, order: ORDER, market: marketName, side: 'buy', role: 'maker', price: PRICE, quantity: '4', quote: '3.9506', fee: '0', feeAsset: 'XLM' }
const order: FeedEvent = {
  type: 'order',
  order: {
    id: ORDER, clientOrderId: 'mine', market: marketName, side: 'buy', type: 'limit', timeInForce: 'GTC', price: PRICE, quantity: '4', spend: null, filledQuantity: '4', filledQuote: '3.9506', postOnly: false,
    allOrNone: false, minimum: null, minimumPer: null, remainder: 'keep', selfTrade: 'cancelNewest', status: 'filled', reason: 'filled', expires: '2026-11-28T00:00:00.000Z', created: '2026-11-28T00:00:00.000Z', updated: '2026-11-28T00:00:00.000Z',
  },
}
const messageOf = (account: AccountId, seq: number, event: FeedEvent): FeedMessage => ({ v: 1, seq, account, time: '2026-11-28T00:00:00.000Z', ...event })
const textOf = (account: AccountId, seq: number, event: FeedEvent): { account: AccountId; text: string } => ({ account, text: JSON.stringify(messageOf(account, seq, event)) })
/** As each owner of a vault actor has one of its own. */
const writer = (seal = new FeedSeal(keys)): JetStreamFeed => new JetStreamFeed(stage.venueLink, subjects, 1, seal)
const fed = new Map<string, number>([[alice, 2], [bob, 0]])
stage.vault.script = (asked) => {
  if (asked.kind === 'place') return resting(asked)
  if (asked.kind === 'standing') return { answer: { ok: { fed: fed.get(asked.account) ?? 0, orders: [], balances: [] } } }
  return { answer: { ok: [] } }
}

/** All that passes the part of the server where traders are, as whoever has that server sees it. */
const passed: string[] = []
const eye = await connect({ servers: stage.nats.url, authenticator: (await testKeys()).traders.authenticate })
t.teardown(() => eye.close())
eye.subscribe('>', { callback: (_, { data }) => void passed.push(Buffer.from(data).toString('latin1')) })
await eye.flush()

const clientOf = (name: string): Promise<Client> => Client.open(stage.url, trader(name))
const [client, other] = [await clientOf('alice'), await clientOf('bob')]
const access = keyAccess(keypairFor('alice').secret())
async function natsOf(t: Test, name = 'alice'): Promise<NatsConnection> {
  const connection = await connectAs(stage, { key: name })
  t.teardown(() => connection.close())
  return connection
}
async function take(connection: NatsConnection, of: NatsAccess, count: number, source: () => Promise<FeedKeysView>, after = 0): Promise<FeedMessage[]> {
  const messages: FeedMessage[] = []
  for await (const message of readFeed(connection, 'local', of, { after, keys: source })) if (messages.push(message) === count) break
  return messages
}
const manager = await jetstreamManager(stage.venueLink, { checkAPI: false })
const stored = async (place: number): Promise<Uint8Array> => (await manager.streams.getMessage(subjects.feedStream, { seq: place }))!.data

await writer().store([textOf(alice, 1, fill), textOf(alice, 2, order)])
const expected = [messageOf(alice, 1, fill), messageOf(alice, 2, order)]

t.test('what is stored says nothing, not even whether it is a fill or an order', async (t) => {
  const [first, second] = [await stored(1), await stored(2)]
  for (const bytes of [first, second]) for (const secret of [PRICE, ORDER, 'fill', 'order', marketName, alice]) t.notOk(Buffer.from(bytes).toString('latin1').includes(secret), secret)
  t.equal(first.length, second.length)
})

t.test('its owner reads it on every way: the same messages and numbers, stored and as they happen', async (t) => {
  const connection = await natsOf(t)
  const source = () => client.feedKeys()
  t.strictSame(await take(connection, access, 2, source), expected)
  t.match(await new NatsRequests(connection, 'local', access, source).replay(1), { messages: [expected[1]], last: 2, more: false })
  const { fills } = (await call(stage.url, 'GET', '/api/v1/fills', undefined, { authorization: `Bearer ${await client.login()}` })).json as { fills: object[] }
  t.match(fills, [{ seq: 1, price: PRICE, order: ORDER }])
  const stream = await StreamClient.open(stage.url)
  t.teardown(() => stream.close())
  await stream.ask('login', { token: await client.login() })
  t.equal((await stream.ask('subscribe', { channels: ['fills', 'orders'], after: 0 })).status, 200)
  const live = take(connection, access, 1, source, 2)
  await writer().store([textOf(alice, 3, fill)])
  fed.set(alice, 3)
  t.strictSame(await live, [messageOf(alice, 3, fill)], 'another owner of the actor, with another salt')
  await until('the stream has all', () => stream.sent.filter(({ type }) => type === 'update').length === 3)
  t.strictSame(stream.sent.filter(({ type }) => type === 'update').map(({ data }) => data), [...expected, messageOf(alice, 3, fill)])
  t.match(await client.feedKeys(), { current: 1, keys: [{ version: 1, key: /^[A-Za-z0-9+/]{43}=$/ }], seq: 3 })
})

t.test('nobody else’s key opens it, and nothing passes for what it is not', async (t) => {
  const bytes = await stored(1)
  const own = new FeedKeyring('local', alice, () => client.feedKeys())
  t.strictSame(JSON.parse(await own.openFeed(bytes)), expected[0])
  await t.rejects(new FeedKeyring('local', alice, () => other.feedKeys()).openFeed(bytes), SealBroken, 'bob’s key')
  await t.rejects(new FeedKeyring('local', bob, () => client.feedKeys()).openFeed(bytes), SealBroken, 'passed off as bob’s')
  await t.rejects(new FeedKeyring('elsewhere', alice, () => client.feedKeys()).openFeed(bytes), SealBroken, 'another venue’s')
  const gateway = new FeedSeal(keys)
  t.throws(() => gateway.openFeed(bob, bytes), NotSealed)
  // Each part of it: form, version, salt, number, text and tag.
  for (const place of [0, 2, 7, SEAL_HEADING_BYTES - 1, SEAL_HEADING_BYTES, SEAL_HEADING_BYTES + 500, bytes.length - 1]) {
    const changed = Uint8Array.from(bytes)
    changed[place]! ^= 1
    await t.rejects(own.openFeed(changed), SealBroken, `byte ${place}`)
    t.throws(() => gateway.openFeed(alice, changed), NotSealed, `byte ${place}`)
  }
  for (const short of [bytes.subarray(0, bytes.length - 1), bytes.subarray(0, 40), bytes.subarray(0, 0), Buffer.from(JSON.stringify(expected[0]))]) {
    await t.rejects(own.openFeed(short), SealBroken)
    t.throws(() => gateway.openFeed(alice, short), NotSealed)
  }
})

t.test('whoever follows a feed notices what was put into it, swapped or made up', async (t) => {
  const carol = addressFor('carol')
  const of = keyAccess(keypairFor('carol').secret())
  const carols = await clientOf('carol')
  const cases: readonly (readonly [string, (first: Uint8Array, second: Uint8Array) => Uint8Array])[] = [
    ['a later one under the next number', (_, second) => Uint8Array.from(second, (byte, place) => (place === SEAL_HEADING_BYTES - 1 ? 1 : byte))],
    ['alice’s', () => new FeedSeal(keys).sealFeed(alice, 1, JSON.stringify(messageOf(carol, 1, fill)))],
    ['one that is not sealed', () => Buffer.from(JSON.stringify(messageOf(carol, 1, fill)))],
    ['nothing that anybody writes', () => Buffer.from('{')],
  ]
  for (const [what, forge] of cases) {
    const connection = await natsOf(t, 'carol')
    const seal = new FeedSeal(keys)
    const [first, second] = [1, 2].map((seq) => seal.sealFeed(carol, seq, JSON.stringify(messageOf(carol, seq, fill)))) as [Uint8Array, Uint8Array]
    const reading = take(connection, of, 1, () => carols.feedKeys())
    const failed = reading.then(() => undefined, (error: Error) => error)
    let over = false
    void failed.then(() => (over = true))
    // By whoever has the server: nothing of it is in the stream.
    await until('it was noticed', () => {
      eye.publish(subjects.feed(carol), forge(first, second))
      return over
    })
    t.ok((await failed) instanceof Error, what)
  }
})

t.test('what somebody else stored in the feed is passed over, wherever it stands: history goes on, and the log says so', async (t) => {
  const dave = addressFor('dave')
  const [of, daves, connection] = [keyAccess(keypairFor('dave').secret()), await clientOf('dave'), await natsOf(t, 'dave')]
  const forge = async (...data: (Uint8Array | string)[]): Promise<void> => {
    for (const one of data) await jetstream(stage.venueLink).publish(subjects.feed(dave), one)
  }
  const inTheClear = JSON.stringify(messageOf(dave, 2, order))
  const changed = new FeedSeal(keys).sealFeed(dave, 1, inTheClear).fill(7, SEAL_HEADING_BYTES)
  await forge('', changed, new FeedSeal(keys).sealFeed(alice, 1, inTheClear))
  fed.set(dave, 0)
  const source = () => daves.feedKeys()
  const asked = new NatsRequests(connection, 'local', of, source)
  t.match(await asked.replay(), { messages: [], last: 0 }, 'of a feed that has nothing else')
  const own = writer()
  await own.store([textOf(dave, 1, fill)])
  await forge(inTheClear, '{', 'null', '{"seq":"2"}')
  await own.store([textOf(dave, 2, order)])
  await forge(...Array.from({ length: 40 }, () => changed), inTheClear)
  fed.set(dave, 2)

  const expected = [messageOf(dave, 1, fill), messageOf(dave, 2, order)]
  t.match(await asked.replay(), { messages: [], last: 2, more: false })
  t.strictSame(await take(connection, of, 2, source), expected)
  t.match(await asked.replay(1), { messages: [expected[1]], last: 2, more: false })
  const authorization = `Bearer ${await daves.login()}`
  const list = async (path: string): Promise<unknown> => (await call(stage.url, 'GET', path, undefined, { authorization })).json
  t.match(await list('/api/v1/fills'), { fills: [{ seq: 1, price: PRICE, order: ORDER }], next: null })
  t.match(await list('/api/v1/orders?status=closed'), { orders: [{ id: ORDER }], next: null })
  const stream = await StreamClient.open(stage.url)
  t.teardown(() => stream.close())
  await stream.ask('login', { token: await daves.login() })
  t.equal((await stream.ask('subscribe', { channels: ['fills', 'orders'], after: 0 })).status, 200)
  await until('the stream has both', () => stream.sent.filter(({ type }) => type === 'update').length === 2)

  const lines = stage.log().split('\n').filter((line) => line.includes('feed_unreadable'))
  t.equal(lines.length, 1, 'one line, however many there are')
  t.match(JSON.parse(lines[0]!), { level: 'error', at: 'feeds#unreadable', ids: { alarm: 'feed_unreadable', stream: subjects.feedStream, place: Number } })
  for (const secret of [dave, PRICE, ORDER, marketName]) t.notOk(stage.log().includes(secret), secret)
})

t.test('the fill logger of the examples opens what is sealed', async (t) => {
  const folder = t.testdir({ 'trader.seed': keypairFor('alice').secret() })
  const file = join(folder, 'fills.jsonl')
  const child = spawn(process.execPath, ['examples/fillLogger.ts', '--url', stage.url, '--key', join(folder, 'trader.seed'), '--file', file], { cwd: paths.root, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  t.teardown(() => child.kill('SIGKILL'))
  const written = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [])
  await until('it has written both fills', () => written().length >= 2)
  child.kill('SIGINT')
  t.equal(await ended, 0)
  t.strictSame(written().map((line) => JSON.parse(line) as FeedMessage), [messageOf(alice, 1, fill), messageOf(alice, 3, fill)])
})

t.test('no nonce meets a key twice', async (t) => {
  const [one, two] = [new FeedSeal(keys), new FeedSeal(keys)]
  const heading = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, SEAL_HEADING_BYTES)).toString('hex')
  t.strictSame(one.sealFeed(alice, 7, 'text'), one.sealFeed(alice, 7, 'text'), 'stored again by the same owner it is the same')
  t.not(heading(one.sealFeed(alice, 7, 'text')), heading(two.sealFeed(alice, 7, 'other text')), 'another owner has another salt, and so another key')
  const salts = new Set(Array.from({ length: 100 }, () => heading(one.sealAnswer(alice, 'orders', new Uint8Array(16), 'text'))))
  t.equal(salts.size, 100, 'and each answer one of its own')
})

t.test('a new version of the key: what was sealed before is read as well, and a reader asks again by itself', async (t) => {
  const later = await keysOf(2)
  let asked = 0
  const source = (): Promise<FeedKeysView> => Promise.resolve({ ...(asked++ === 0 ? keys : later).view(alice), seq: 3 })
  const keyring = new FeedKeyring('local', alice, source)
  t.equal(await keyring.openFeed(new FeedSeal(keys).sealFeed(alice, 1, 'old')), 'old')
  t.equal(await keyring.openFeed(new FeedSeal(later).sealFeed(alice, 2, 'new')), 'new')
  t.equal(asked, 2)
  t.equal(await keyring.openFeed(new FeedSeal(keys).sealFeed(alice, 1, 'old')), 'old')
  t.not(later.view(alice).keys[0]!.key, later.view(alice).keys[1]!.key)
  t.equal((await keysOf(40)).view(alice).keys.length, 8, 'the newest few')
})

t.test('orders and what is asked are sealed too; what is not is refused by name, and nothing is done', async (t) => {
  const connection = await natsOf(t)
  passed.length = 0
  const asked = new NatsRequests(connection, 'local', access, () => client.feedKeys())
  const signed = await client.signOrder(marketName, { side: 'buy', type: 'limit', price: '0.1234', quantity: '10', timeInForce: 'GTC' })
  const placed = await asked.send(signed)
  t.match(placed, { market: marketName, status: 'open', price: '0.1234' })
  t.strictSame(await asked.balances(), [])
  const entering = await Client.open(stage.url, trader('alice'), { transport: new NatsTransport(connection, 'local', access, { keys: () => client.feedKeys() }) })
  t.match(await entering.placeOrder(marketName, { side: 'buy', type: 'limit', price: '0.1234', quantity: '10', timeInForce: 'GTC' }), { status: 'open' })
  t.equal(await refusal(asked.send({ ...signed, signature: Buffer.alloc(64).toString('base64') })), 'signature_invalid', 'refusals are sealed as well')
  await eye.flush()
  t.ok(passed.length >= 6, 'requests and answers were seen')
  for (const text of passed) for (const secret of ['0.1234', placed.id, signed.signature, 'balances', 'signature_invalid', 'message']) t.notOk(text.includes(secret), secret)
  stage.vault.packets.length = 0
  const raw = async (operation: string, data: Uint8Array | string): Promise<string> => (await connection.request(subjects.traderRequest(alice, alice, operation), data, { timeout: 20_000 })).json<{ body: { code: string } }>().body.code
  t.equal(await raw('orders', JSON.stringify(signed)), 'seal_missing')
  t.equal(await raw('balances', ''), 'seal_missing')
  const own = new FeedKeyring('local', alice, () => client.feedKeys())
  const { bytes } = await own.sealRequest('orders', JSON.stringify(signed))
  t.equal(await raw('replay', bytes), 'seal_broken', 'sealed for another operation')
  t.equal(await raw('orders', bytes.slice(0, -1)), 'seal_broken')
  t.equal(await raw('orders', (await new FeedKeyring('local', bob, () => other.feedKeys()).sealRequest('orders', JSON.stringify(signed))).bytes), 'seal_broken', 'by another account')
  t.equal(stage.vault.heard.filter(({ kind }) => kind !== 'standing').length, 0)
})

t.test('a program in Python opens with the keys that the route hands out, and tells what is not sealed for the account', async (t) => {
  const file = join(t.testdir({}), 'feed-key.json')
  writeFileSync(file, JSON.stringify(await client.feedKeys()))
  const open = async (...messages: Uint8Array[]): Promise<{ code: number | null; output: string }> => {
    const child = spawn(pythonTool('python'), ['examples/openFeed.py', 'local', alice, file], { cwd: paths.root, stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.end(messages.map((bytes) => `${Buffer.from(bytes).toString('base64')}\n`).join(''))
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, output }
  }
  const seal = new FeedSeal(keys)
  const texts = [messageOf(alice, 1, order), messageOf(alice, 2, fill)].map((message) => JSON.stringify(message))
  const sealed = texts.map((text, n) => seal.sealFeed(alice, n + 1, text))
  const opened = await open(...sealed)
  t.equal(opened.code, 0)
  t.same(opened.output.trim().split('\n').map((line) => JSON.parse(line) as unknown), texts.map((text) => JSON.parse(text) as unknown))
  const changed = Uint8Array.from(sealed[0]!)
  changed[40]! ^= 1
  for (const wrong of [changed, sealed[0]!.slice(0, 20), seal.sealFeed(bob, 1, texts[0]!)]) t.same(await open(wrong), { code: 1, output: '' })
})

t.test('an answer counts for its own request alone, and one in the clear for none', async (t) => {
  const keyring = new FeedKeyring('local', alice, () => client.feedKeys())
  const [one, two] = [await keyring.sealRequest('balances', '{}'), await keyring.sealRequest('balances', '{}')]
  const seal = new FeedSeal(keys)
  const answer = seal.sealAnswer(alice, 'balances', seal.openRequest(alice, 'balances', one.bytes).salt, '{"status":200}')
  t.equal(await one.read(answer), '{"status":200}')
  await t.rejects(two.read(answer), SealBroken)
  const connection = await natsOf(t)
  const careless = new NatsRequests(connection, 'local', access, () => Promise.resolve({ ...keys.view(bob), seq: 0 }))
  await t.rejects(careless.balances(), OutcomeUnknown, 'whoever is between could say anything')
  await t.rejects(readFeed(connection, 'local', access, { after: 0 }).next(), { code: 'seal_missing' }, 'without keys')
})

