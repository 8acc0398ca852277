import t from 'tap'
import type { Test } from 'tap'
import { request } from 'node:http'
import { once } from 'node:events'
import { Client } from '../../../src/client/client.ts'
import { limits } from '../../../src/protocol/limits.ts'
import type { Seconds } from '../../../src/protocol/identity.ts'
import type { MarketStatus } from '../../../src/protocol/pair.ts'
import type { OrderState, Standing, VaultQuery } from '../../../src/protocol/vault.ts'
import { canonicalJson } from '../../../src/protocol/messages/canonical.ts'
import { until } from '../../settlement/waiting.ts'
import { call, refused } from '../call.ts'
import { marketName, resting } from '../fakeVault.ts'
import type { Script } from '../fakeVault.ts'
import { openStage, trader } from '../stage.ts'
import { FeedWriter } from './feedWriter.ts'
import { purge } from './purge.ts'
import { StreamClient } from './streamClient.ts'
import type { Sent } from './streamClient.ts'

// Streams at a gateway as it runs, on a real nats-server with real feeds; the keepers of accounts are scripted.

const alice = trader('alice')
const bob = trader('bob')
const stage = await openStage({ streams: { heartbeat_ms: 500, perAccount: 4 } })
const writer = await FeedWriter.open(stage)
t.teardown(async () => {
  await writer.close()
  await stage.close()
})
let orders: OrderState[] = []
const standing: Script = (asked) => {
  if (asked.kind === 'place') return resting(asked)
  return { answer: asked.kind === 'standing' ? { ok: writer.standing(asked.account, asked.orders ? orders : []) } : { refused: 'internal_error' } }
}
stage.vault.script = standing
const token = (account: string): string => stage.app.issueToken(account as never, 'c')

const clients: StreamClient[] = []
async function open(): Promise<StreamClient> {
  const client = await StreamClient.open(stage.url)
  clients.push(client)
  return client
}
t.afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  stage.vault.script = standing
})
async function loggedIn(name = alice): Promise<StreamClient> {
  const client = await open()
  const { status } = await client.ask('login', { token: token(name.address) })
  if (status !== 200) throw new Error(`login was answered with ${status}`)
  return client
}
const refusedWith = (t: Test, answer: Sent, code: string, detail?: string): void => {
  t.equal(answer.problem?.code, code, code)
  if (detail !== undefined) t.equal(answer.problem?.detail, detail)
  t.ok(answer.problem?.requestId)
}
const loginMessage = (client: StreamClient, change: Record<string, string> = {}) => {
  const message = { action: 'login', network: stage.venue.file.network.passphrase, vault: stage.venue.file.vault.contract, account: alice.address, nonce: client.challenge, expires: String(Math.floor(Date.now() / 1000) + 60), ...change }
  return { message, signature: alice.signMessage(canonicalJson(message)) }
}
const numbers = (sent: readonly Sent[]) => sent.map(({ seq, prev }) => [seq, prev])

t.test('a request that asks for no upgrade is told to; one that asks for another is answered as if it did not', async (t) => {
  refused(t, await call(stage.url, 'GET', '/api/v1/stream'), 'upgrade_required')
  const asked = request(`${stage.url}/api/v1/time`, { headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' } })
  asked.end()
  const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }]
  t.equal(response.statusCode, 200)
  response.resume()
  const bad = request(`${stage.url}/api/v1/stream`, { headers: { connection: 'Upgrade', upgrade: 'websocket' } })
  bad.end()
  const [refusal] = (await once(bad, 'response')) as [{ statusCode: number; headers: Record<string, string>; resume(): void }]
  t.equal(refusal.statusCode, 400)
  t.equal(refusal.headers['content-type'], 'application/problem+json')
  refusal.resume()
})

t.test('ping, heartbeats, and what is no request', async (t) => {
  const client = await open()
  t.match(await client.ask('ping'), { status: 200, body: { unix_ms: Number } })
  await client.until('a heartbeat', ({ type }) => type === 'heartbeat')
  for (const text of ['', '{', '[]', 'null', '"a"', '{}', '{"id":1,"op":"ping"}', '{"id":"","op":"ping"}']) {
    const before = client.sent.length
    client.socket.send(text)
    await until('an answer', () => client.sent.slice(before).some(({ type }) => type === 'answer'))
    const answer = client.sent.slice(before).find(({ type }) => type === 'answer')!
    refusedWith(t, answer, 'request_malformed')
    t.equal(answer.id, null)
  }
  refusedWith(t, await client.ask('nothing'), 'request_malformed', 'op')
  refusedWith(t, await client.ask('constructor'), 'request_malformed', 'op')
  refusedWith(t, await client.ask('ping', { more: 1 }), 'request_malformed')
  client.socket.send('{"id":"p","op":"ping","__proto__":{"a":1}}')
  refusedWith(t, await client.until('an answer', ({ id }) => id === 'p'), 'request_malformed')
  refusedWith(t, await client.ask('subscribe', { channels: [] }), 'request_malformed')
  refusedWith(t, await client.ask('subscribe', { channels: ['orders', 'orders'] }), 'request_malformed')
  t.equal((await client.ask('ping')).status, 200, 'it goes on')
  for (let n = 0; n < 16; n++) client.socket.send('{')
  t.strictSame(await client.ended(), { code: 4004, reason: 'nonsense' })
})

t.test('login: by token, and by a message that is worth something on this connection alone', async (t) => {
  const client = await open()
  refusedWith(t, await client.ask('login', { token: 'a.b.c' }), 'token_invalid')
  const other = await open()
  refusedWith(t, await client.ask('login', loginMessage(other)), 'message_malformed', 'nonce')
  refusedWith(t, await client.ask('login', loginMessage(client, { expires: String(Math.floor(Date.now() / 1000) + 3_000) })), 'expiry_too_far')
  refusedWith(t, await client.ask('login', loginMessage(client, { expires: '1' })), 'message_expired')
  refusedWith(t, await client.ask('login', loginMessage(client, { network: 'another' })), 'network_mismatch')
  refusedWith(t, await client.ask('login', loginMessage(client, { action: 'cancelAll' })), 'action_unsupported')
  refusedWith(t, await client.ask('login', { ...loginMessage(client), signature: Buffer.alloc(64).toString('base64') }), 'signature_invalid')
  const signed = loginMessage(client)
  t.match(await client.ask('login', signed), { status: 200, body: { account: alice.address, key: alice.address } })
  t.match(await client.ask('login', signed), { status: 200 }, 'once more is no harm')
  refusedWith(t, await client.ask('login', { token: token(bob.address) }), 'login_conflict')
  const more = await Promise.all([loggedIn(), loggedIn(), loggedIn()])
  refusedWith(t, await (await open()).ask('login', { token: token(alice.address) }), 'streams_exceeded')
  more[0].close()
  await until('a place is free', async () => (await (await open()).ask('login', { token: token(alice.address) })).status === 200)
})

t.test('a delegated key logs in as long as it may, and is out within seconds when it is revoked', async (t) => {
  const until_s = (Math.floor(Date.now() / 1000) + 600) as Seconds
  let active = true
  stage.vault.script = (asked) => (asked.kind === 'key' ? { answer: active ? { ok: { key: asked.key, scope: 'read', market: null, until: until_s, status: 'active' } } : { refused: 'key_unknown' } } : standing(asked))
  const client = await open()
  const { message } = loginMessage(client)
  const byBob = { message, signature: bob.signMessage(canonicalJson(message)), signer: bob.address }
  const answer = await client.ask('login', byBob)
  t.match(answer, { status: 200, body: { account: alice.address, key: bob.address } })
  t.ok(Date.parse(answer.body!.until as string) <= until_s * 1000)
  t.equal((await client.ask('subscribe', { channels: ['fills'] })).status, 200)
  active = false
  t.strictSame(await client.ended(), { code: 4001, reason: 'session_ended' })
  const again = await open()
  const { message: next } = loginMessage(again)
  refusedWith(t, await again.ask('login', { message: next, signature: bob.signMessage(canonicalJson(next)), signer: bob.address }), 'signer_not_allowed')
})

t.test('cancel on disconnect: the vault actor hears that a connection lives, and that it has ended', async (t) => {
  const heard = () => stage.vault.heard.filter((asked) => asked.kind === 'presence')
  let refuse = true
  stage.vault.script = (asked) => (asked.kind === 'presence' ? { answer: refuse ? { refused: 'timers_exceeded' } : { ok: {} } } : standing(asked))
  const client = await open()
  refusedWith(t, await client.ask('login', { token: token(alice.address), cancelOnDisconnect: true }), 'request_malformed')
  refusedWith(t, await client.ask('login', { ...loginMessage(client), cancelOnDisconnect: true }), 'timers_exceeded')
  refusedWith(t, await client.ask('subscribe', { channels: ['fills'] }), 'login_missing')
  refuse = false
  t.equal((await client.ask('login', { ...loginMessage(client), cancelOnDisconnect: true })).status, 200)
  const { session, ...said } = heard().at(-1)!
  t.strictSame(said, { kind: 'presence', account: alice.address, signer: alice.address, timeout_ms: 30_000, cancel: false })
  client.close()
  await until('its end is told', () => heard().length === 3)
  t.match(heard().at(-1), { session, timeout_ms: 0, cancel: true })
  const calm = await open()
  t.equal((await calm.ask('login', { ...loginMessage(calm), cancelOnDisconnect: true })).status, 200)
  t.equal((await calm.ask('login', { ...loginMessage(calm), cancelOnDisconnect: false })).status, 200)
  await until('that is told', () => heard().length === 5)
  t.match(heard().at(-1), { timeout_ms: 0, cancel: false })
  t.not(heard().at(-1)!.session, session, 'no two connections have one name')
  calm.close()
  await until('it is gone', () => stage.app.streams.size === 0)
  t.equal(heard().length, 5)
})

t.test('what is private needs a login; markets do not', async (t) => {
  const client = await open()
  for (const channel of ['orders', 'fills', 'settlement', 'keys', 'balances']) refusedWith(t, await client.ask('subscribe', { channels: [channel] }), 'login_missing')
  refusedWith(t, await client.ask('subscribe', { channels: ['market'], markets: ['AAA-BBB'] }), 'market_unknown')
  t.equal((await client.ask('subscribe', { channels: ['market'], markets: [marketName] })).status, 200)
  const snapshot = await client.until('a snapshot', ({ type }) => type === 'snapshot')
  t.strictSame(snapshot.data, [{ name: marketName, state: 'open', lowestPrice: '0.0001', highestPrice: '10' }])
  stage.pair.status = { ...stage.pair.status!, state: 'halted' } satisfies MarketStatus
  const update = await client.until('the change', ({ type }) => type === 'update')
  t.match(update.data, { name: marketName, state: 'halted' })
  stage.pair.status = { ...stage.pair.status, state: 'open' }
  await until('the next change', () => client.updates('market').length === 2)
  t.equal((await client.ask('unsubscribe', { channels: ['market'] })).status, 200)
})

t.test('snapshot, then what happens, each channel with its numbers', async (t) => {
  const order = { id: 'ab'.repeat(32), clientOrderId: 'mine', account: alice.address, market: marketName, side: 'buy', type: 'limit', ticks: 1200, lots: 10, spend: 0n, timeInForce: 'GTC', expires: 1_900_000_000, status: 'open', reason: null, filledLots: 0, filledQuote: 0n, created: 1, updated: 1,
    terms: { postOnly: false, condition: 'none', minimum: 0, returnRemainder: false, selfTrade: 'cancelNewest' } } as unknown as OrderState
  orders = Array.from({ length: 1_201 }, (_, n) => ({ ...order, id: n.toString(16).padStart(64, '0') }) as OrderState)
  writer.write(alice.address)
  const client = await loggedIn()
  const answer = await client.ask('subscribe', { channels: ['orders', 'fills', 'balances'] })
  t.match(answer, { status: 200, body: { seq: 1 } })
  await until('the whole snapshot', () => client.sent.filter(({ type, channel }) => type === 'snapshot' && channel === 'orders').length === 3)
  const parts = client.sent.filter(({ type, channel }) => type === 'snapshot' && channel === 'orders')
  t.strictSame(parts.map(({ part, parts: all, seq, data }) => [part, all, seq, (data as object[]).length]), [[1, 3, 1, 500], [2, 3, 1, 500], [3, 3, 1, 201]])
  orders = []
  t.match(client.sent.find(({ type, channel }) => type === 'snapshot' && channel === 'balances'), { seq: 1, data: [{ asset: 'XLM', settled: '0.0000001' }, {}, {}] })
  writer.write(alice.address)
  writer.write(alice.address, 'settled')
  writer.again(writer.write(alice.address))
  writer.write(bob.address)
  await until('both fills', () => client.updates('fills').length === 2)
  t.strictSame(numbers(client.updates('fills')), [[2, 1], [4, 2]])
  t.strictSame((client.updates('fills')[0]!.data as { account: string; seq: number }).account, alice.address)
  await until('balances at the end', () => client.updates('balances').at(-1)?.seq === 4)
  const told = client.updates('balances')
  t.strictSame(told.map(({ prev }) => prev), [1, ...told.slice(0, -1).map(({ seq }) => seq)], 'each says which came before it')
  await client.until('a heartbeat that says so', ({ channels }) => channels?.fills?.last === 4 && channels.fills.through === 4 && channels.orders?.last === 1)
  t.strictSame((await client.ask('unsubscribe', { channels: ['fills', 'balances'] })).body, { channels: ['orders'] })
  writer.write(alice.address)
  await client.until('a heartbeat after it', ({ channels }) => channels?.orders?.through === 5)
  t.equal(client.updates('fills').length, 2)
  t.equal((await client.ask('unsubscribe', { channels: ['orders'] })).status, 200)
  await until('nobody follows the feed', () => stage.app.streams.followed === 0)
})

t.test('resume: everything behind a number, and then what happens', async (t) => {
  for (let n = 0; n < 700; n++) writer.write(bob.address, n % 3 === 0 ? 'settled' : 'fill')
  await writer.flush()
  const fed = writer.fed(bob.address)
  const client = await loggedIn(bob)
  refusedWith(t, await client.ask('subscribe', { channels: ['fills'], after: fed + 1 }), 'resume_ahead')
  refusedWith(t, await client.ask('subscribe', { channels: ['balances'], after: 1 }), 'request_malformed', 'after')
  refusedWith(t, await client.ask('subscribe', { channels: ['fills'], after: -1 }), 'request_malformed')
  t.match(await client.ask('subscribe', { channels: ['fills', 'settlement'], after: 3 }), { status: 200, body: { seq: 3 } })
  for (let n = 0; n < 50; n++) writer.write(bob.address)
  await until('all of it', () => client.updates('fills').length + client.updates('settlement').length === fed + 50 - 3)
  t.strictSame(client.sent.filter(({ type }) => type === 'update').map(({ seq }) => seq), Array.from({ length: fed + 50 - 3 }, (_, n) => n + 4))
  t.strictSame(client.sent.filter(({ type }) => type === 'snapshot'), [])
})

t.test('what is no longer kept cannot be resumed, whether or not anything has come since', async (t) => {
  await purge(stage, bob.address)
  const client = await loggedIn(bob)
  await until('nobody here remembers the feed', () => stage.app.streams.followed === 0)
  const fed = writer.fed(bob.address)
  refusedWith(t, await client.ask('subscribe', { channels: ['fills'], after: fed - 1 }), 'feed_trimmed')
  t.match(await client.ask('subscribe', { channels: ['fills'], after: fed }), { status: 200, body: { seq: fed } }, 'who has all of it goes on')
  t.equal((await client.ask('unsubscribe', { channels: ['fills'] })).status, 200)
  await until('nobody here remembers the feed', () => stage.app.streams.followed === 0)
  writer.write(bob.address)
  await writer.flush()
  refusedWith(t, await client.ask('subscribe', { channels: ['fills'], after: 3 }), 'feed_trimmed')
  t.equal((await client.ask('subscribe', { channels: ['fills'] })).status, 200, 'but begun anew')
})

t.test('orders over a stream: the same bodies, the same answers, and no login', async (t) => {
  const client = await open()
  const signer = await Client.open(stage.url, alice)
  const order = await signer.signOrder(marketName, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
  const placed = await client.ask('place', order)
  t.match(placed, { status: 201, body: { market: marketName, price: '0.12', status: 'open' } })
  const overHttp = await call(stage.url, 'POST', '/api/v1/orders', order)
  t.strictSame(placed.body, overHttp.json, 'as over HTTP')
  refusedWith(t, await client.ask('place', { ...order, signature: Buffer.alloc(64).toString('base64') }), 'signature_invalid')
  refusedWith(t, await client.ask('cancel', order), 'action_unsupported')
  refusedWith(t, await client.ask('place', { ...order, more: 1 }), 'request_malformed')
  const cancel = await signer.signCancel(placed.body!.id as string)
  stage.vault.script = (asked) => (asked.kind === 'place' ? resting(asked) : { answer: { refused: 'order_unknown' } })
  refusedWith(t, await client.ask('cancel', cancel), 'order_unknown')
  const timer = await signer.signDeadMan(30)
  refusedWith(t, await client.ask('deadMan', await signer.signDeadMan(4)), 'timeout_out_of_range')
  refusedWith(t, await client.ask('deadMan', cancel), 'action_unsupported')
  stage.vault.script = (asked) => ('timeout_s' in asked ? { answer: { ok: { signer: asked.signer, timeout_ms: asked.timeout_s * 1_000, deadline: 1_900_000_000_000, waiting: [] } } } : { answer: { refused: 'order_unknown' } })
  const armed = await client.ask('deadMan', timer)
  t.match(armed, { status: 200, body: { signer: alice.address, timeout: 30, waiting: [] } })
  t.strictSame(armed.body, (await call(stage.url, 'POST', '/api/v1/dead-man', timer)).json, 'as over HTTP')
  stage.vault.script = (asked) => (asked.kind === 'place' ? resting(asked) : { answer: { refused: 'order_unknown' } })
  refusedWith(t, await client.ask('amend', await signer.signAmend(placed.body!.id as string, '0.12', '50')), 'order_unknown')
  stage.vault.script = (asked) => (asked.kind === 'place' ? resting(asked) : { answer: { refused: asked.kind === 'cancelAll' ? 'account_unknown' : 'order_unknown' } })
  refusedWith(t, await client.ask('cancelAll', await signer.signCancelAll(marketName)), 'account_unknown')
  const batch = await client.ask('placeBatch', { messages: [order, { ...order, signature: Buffer.alloc(64).toString('base64') }] })
  t.match(batch, { status: 200, body: { results: [{ status: 201, order: { market: marketName } }, { status: 401, problem: { code: 'signature_invalid' } }] } })
  t.match(await client.ask('cancelBatch', { messages: [cancel] }), { status: 200, body: { results: [{ status: 404, problem: { code: 'order_unknown' } }] } })
  refusedWith(t, await client.ask('placeBatch', { messages: Array.from({ length: 101 }, () => order) }), 'request_malformed')
  refusedWith(t, await client.ask('ping', { filler: 'x'.repeat(limits.requestBytes) }), 'request_too_large')
})

t.test('frames that are none end the connection, each with its code', async (t) => {
  const damages: [string, (client: StreamClient) => void, number][] = [
    ['binary', (client) => client.socket.send(Buffer.from('{}')), 1003],
    ['too large', (client) => client.socket.send('x'.repeat(limits.streamFrameBytes + 1)), 1009],
    ['no UTF-8', (client) => client.socket.send(Buffer.from([0x7b, 0xff, 0xfe]), { binary: false }), 1007],
    ['in too many pieces', (client) => { for (let n = 0; n <= limits.streamFragments + 1; n++) client.socket.send('x', { fin: false }) }, 1008],
  ]
  for (const [what, damage, code] of damages) {
    const client = await open()
    damage(client)
    t.equal((await client.ended()).code, code, what)
  }
})

t.test('an account between owners, or too much at once: refused, and the connection goes on', async (t) => {
  const client = await loggedIn(bob)
  stage.vault.script = () => ({ answer: { refused: 'account_unavailable' } })
  const answer = await client.ask('subscribe', { channels: ['fills'] })
  refusedWith(t, answer, 'account_unavailable')
  t.equal(answer.retryAfter_s, 1)
  await until('nothing is left of it', () => stage.app.streams.followed === 0)
  stage.vault.script = (asked) => ({ answer: (asked as VaultQuery).kind === 'standing' ? { ok: { fed: 0, orders: [], balances: [] } satisfies Standing } : { refused: 'internal_error' } })
  t.equal((await client.ask('subscribe', { channels: ['keys'] })).status, 200)
})

t.test('nothing of it was an error of the gateway', async (t) => {
  t.notMatch(stage.log(), /"level":"error"/)
})
