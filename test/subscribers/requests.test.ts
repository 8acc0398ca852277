import { jetstream } from '@nats-io/jetstream'
import { connect, nkeyAuthenticator, tokenAuthenticator } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import t from 'tap'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { Client } from '../../src/client/client.ts'
import { NotPermitted } from '../../src/client/errors.ts'
import { readFeed } from '../../src/client/feed.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import { NatsRequests } from '../../src/client/natsRequests.ts'
import { NatsTransport } from '../../src/client/natsTransport.ts'
import { VenueReader } from '../../src/client/venueReader.ts'
import { cancelMessage, deadManMessage, orderMessage, signRequest } from '../../src/client/messages.ts'
import type { NewOrder, SignedRequest } from '../../src/client/messages.ts'
import type { DeadManView } from '../../src/client/views/account.ts'
import type { AccountId, Amount } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import type { OperationAnswer } from '../../src/protocol/nats.ts'
import { traderInbox } from '../../src/protocol/subjects.ts'
import type { BalanceState, Standing } from '../../src/protocol/vault.ts'
import { marketName, resting } from '../gateway/fakeVault.ts'
import type { Script } from '../gateway/fakeVault.ts'
import { trader } from '../gateway/stage.ts'
import { purge } from '../gateway/streams/purge.ts'
import { startProxy } from '../nats/proxy.ts'
import { until } from '../settlement/waiting.ts'
import { refusal } from '../venue/venueUnderTest.ts'
import { addressFor, connectAs, keypairFor, openSubscriberStage, seedFor, statement } from './stage.ts'

const stage = await openSubscriberStage()
t.teardown(() => stage.close())
const { subjects } = stage.venue
await ensureStreams(stage.venueLink, subjects)
const view = await new VenueReader(stage.url).markets()
const market = view.markets.find(({ name }) => name === marketName)!
const named = { name: market.name, base: market.base.contract, quote: market.quote.contract }
const order: NewOrder = { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' }
const expires = Math.floor(Date.now() / 1_000) + 3_600
const binding = (account: string) => ({ network: view.network, vault: view.vault, account: addressFor(account) })
const signedOrder = (account: string, nonce: string): Promise<SignedRequest> => signRequest(orderMessage(binding(account), named, order, { expires, nonce }), trader(account))
const signedCancel = (account: string, of: string): Promise<SignedRequest> => signRequest(cancelMessage(binding(account), of, { expires }), trader(account))

/** A feed that has come so far, and nothing else. */
const standingAt = (fed: number): Script => () => ({ answer: { ok: { fed, orders: [], balances: [] } satisfies Standing } })

const alice = await connectAs(stage, { key: 'alice' })
t.teardown(() => alice.close())
const asked = new NatsRequests(alice, 'local', keyAccess(keypairFor('alice').secret()))

async function publish(account: AccountId, from: number, to: number, padding = ''): Promise<void> {
  for (let seq = from; seq <= to; seq++) {
    await jetstream(stage.venueLink).publish(subjects.feed(account), JSON.stringify({ v: 1, seq, account, time: '2026-01-01T00:00:00.000Z', type: 'settled', trades: [], transaction: padding, ledger: seq, receipts: { sequence: 1, size: 2, from: 1, leaves: [] } }))
  }
}

t.test('orders: the same messages and answers as over HTTP', async (t) => {
  stage.vault.script = (command) => (command.kind === 'place' ? resting(command) : { answer: { refused: 'order_unknown' } })
  const placed = await asked.send(await signedOrder('alice', 'one'))
  t.match(placed, { market: marketName, status: 'open', price: '0.12' })
  t.equal(await refusal(asked.send(await signedCancel('alice', placed.id))), 'order_unknown')
  const { results } = await asked.sendAll<{ status: number }>([await signedOrder('alice', 'two'), await signedOrder('alice', 'three')])
  t.strictSame(results.map(({ status }) => status), [201, 201])
  const forged = await signedOrder('alice', 'four')
  t.equal(await refusal(asked.send({ ...forged, signature: (await signedOrder('alice', 'five')).signature })), 'signature_invalid')
  t.equal(await refusal(asked.send(await signedOrder('bob', 'six'))), 'signer_not_allowed', 'another account’s, however well signed')
  t.equal(await refusal(asked.sendAll([await signedOrder('alice', 'seven'), await signedOrder('bob', 'eight')])), 'signer_not_allowed')
  t.notOk(stage.vault.heard.some(({ account }) => account === addressFor('bob')))
  t.equal(await refusal(asked.send({ message: { ...forged.message, action: 'withdraw' }, signature: forged.signature })), 'action_unsupported')
})

t.test('a dead-man timer: the same message and answer as over HTTP', async (t) => {
  const soon = Math.floor(Date.now() / 1_000) + 30
  const timer = (timeout_s: number): Promise<SignedRequest> => signRequest(deadManMessage(binding('alice'), timeout_s, { expires: soon, nonce: `timer-${timeout_s}` }), trader('alice'))
  stage.vault.script = (command) =>
    'timeout_s' in command ? { answer: { ok: { signer: command.signer, timeout_ms: command.timeout_s * 1_000, deadline: 1_900_000_000_000, waiting: [marketName] } } } : { answer: { refused: 'order_unknown' } }
  t.strictSame(await asked.send<DeadManView>(await timer(20)), { signer: addressFor('alice'), timeout: 20, deadline: '2030-03-17T17:46:40.000Z', waiting: [marketName] })
  t.equal(await refusal(asked.send(await timer(4))), 'timeout_out_of_range')
})

t.test('reads', async (t) => {
  const contract = stage.venue.assets[0]!.contract
  stage.vault.script = ({ kind }) => ({ answer: { ok: kind === 'balances' ? [{ asset: contract, settled: 10_000_000n as Amount, pending: 0n as Amount, reserved: 0n as Amount, available: 10_000_000n as Amount } satisfies BalanceState] : [] } })
  t.strictSame(await asked.balances(), [{ asset: 'XLM', contract, settled: '1', pending: '0', reserved: '0', available: '1' }])
  t.strictSame(await asked.openOrders(), [])
  t.ok(stage.vault.heard.slice(-2).every(({ account }) => account === addressFor('alice')))
})

t.test('a feed is replayed in pages', async (t) => {
  stage.vault.script = standingAt(0)
  t.strictSame(await asked.replay(), { messages: [], last: 0, more: false }, 'there is none yet')
  t.strictSame(await asked.replay(0), { messages: [], last: 0, more: false })
  await publish(addressFor('bob'), 1, 3)
  await publish(addressFor('alice'), 1, 12)
  t.strictSame(await asked.replay(), { messages: [], last: 12, more: false })
  const first = await asked.replay(0, 5)
  t.strictSame([first.messages.map(({ seq }) => seq), first.last, first.more], [[1, 2, 3, 4, 5], 5, true])
  t.ok(first.messages.every(({ account }) => account === addressFor('alice')))
  const rest = await asked.replay(5)
  t.strictSame([rest.messages.map(({ seq }) => seq), rest.last, rest.more], [[6, 7, 8, 9, 10, 11, 12], 12, false])
  t.strictSame(await asked.replay(12), { messages: [], last: 12, more: false })
  await publish(addressFor('alice'), 13, 18, 'x'.repeat(100_000))
  const long = await asked.replay(12)
  t.strictSame([long.messages.length, long.more], [2, true], 'a page is bounded in bytes')
})

t.test('a feed of which nothing is kept any more, and to which nothing has come since', async (t) => {
  await purge(stage, addressFor('alice'))
  stage.vault.script = standingAt(18)
  t.equal(await refusal(asked.replay(17)), 'feed_trimmed')
  t.equal(await refusal(asked.replay(0)), 'feed_trimmed')
  t.strictSame(await asked.replay(18), { messages: [], last: 18, more: false }, 'who has all of it has missed nothing')
  t.strictSame(await asked.replay(), { messages: [], last: 18, more: false })
  await publish(addressFor('alice'), 19, 19)
  t.equal((await asked.replay(18)).last, 19)
  t.equal(await refusal(asked.replay(17)), 'feed_trimmed')
})

t.test('a request is answered into the inbox of who asked, or not at all', async (t) => {
  const bob = await connectAs(stage, { key: 'bob' })
  t.teardown(() => bob.close())
  const heard: string[] = []
  bob.subscribe(subjects.feed(addressFor('bob')), { callback: (_, { subject }) => void heard.push(subject) })
  bob.subscribe(`_INBOX_${addressFor('bob')}.>`, { callback: (_, { subject }) => void heard.push(subject) })
  await bob.flush()
  stage.vault.script = () => ({ answer: { ok: [] } })
  const requests = subjects.traderRequest(addressFor('alice'), addressFor('alice'), 'balances')
  const own = `_INBOX_${addressFor('alice')}`
  const targets = [subjects.feed(addressFor('bob')), `_INBOX_${addressFor('bob')}.x`, subjects.traderRequest(addressFor('bob'), addressFor('bob'), 'balances'), '$SYS.REQ.USER.AUTH', own, `${own}.`, `${own}.>`, `${own}.*`, `${own}x.y`, `${own}.a..b`, '_INBOX.abc', '>']
  const before = stage.vault.heard.length
  for (const reply of targets) alice.publish(requests, '', { reply })
  alice.publish(requests, '')
  await alice.flush()
  // Requests of one connection are heard in their order: what this one's answer does not come behind is never done.
  await asked.balances()
  t.equal(stage.vault.heard.length, before + 1)
  await bob.flush()
  t.strictSame(heard, [])
})

t.test('what the key of a connection may not do is refused at once, by name, and never sent', async (t) => {
  const before = stage.vault.heard.length
  const reading = await connectAs(stage, { key: 'reader', token: statement(stage, 'alice', 'reader', { scope: 'read' }) })
  t.teardown(() => reading.close())
  const access = { ...keyAccess(keypairFor('reader').secret()), account: addressFor('alice') }
  const own = new NatsRequests(reading, 'local', access)
  const signed = await signedOrder('alice', 'reader')
  // All of them: the server's word names the subject, and not which of several requests.
  for (const refused of await Promise.allSettled([own.send(signed), own.send(signed), own.sendAll([signed])])) t.match(refused, { reason: { name: 'NotPermitted', passing: false, cause: { cause: { name: 'PermissionViolationError' } } } })
  const client = (await Client.open(stage.url, trader('alice'))).over(new NatsTransport(reading, 'local', access))
  t.match(await client.sendOrder(signed).catch((error: unknown) => error), { name: 'NotPermitted', request: signed })
  t.match(await client.sendOrders([signed, signed]), [{ error: { name: 'NotPermitted' } }, { error: { name: 'NotPermitted' } }])
  const elsewhere = new NatsRequests(reading, 'local', { ...access, account: addressFor('bob') })
  await t.rejects(elsewhere.balances(), NotPermitted)
  await t.rejects(readFeed(reading, 'local', { ...access, account: addressFor('bob') }).next(), { name: /^(NotPermitted|PermissionViolationError)$/ })
  stage.vault.script = () => ({ answer: { ok: [] } })
  t.strictSame(await own.balances(), [], 'what it may, it still does')
  t.equal(stage.vault.heard.length, before + 1)
})

t.test('a refusal that came behind a reconnection says nothing of what was sent before it', async (t) => {
  const line = await startProxy(stage.nats.port)
  let scope = 'trade'
  const tokens = tokenAuthenticator(() => statement(stage, 'alice', 'turncoat', { scope }))
  const connection = await connect({ servers: line.url, authenticator: [nkeyAuthenticator(seedFor('turncoat')), tokens], inboxPrefix: traderInbox(addressFor('turncoat')), maxReconnectAttempts: -1, reconnectTimeWait: 50, timeout: 20_000 })
  const back = (async () => {
    for await (const { type } of connection.status()) if (type === 'reconnect') return
  })()
  t.teardown(async () => {
    await connection.close()
    await line.stop()
  })
  const own = new NatsRequests(connection, 'local', { ...keyAccess(keypairFor('turncoat').secret()), account: addressFor('alice') })
  stage.vault.script = () => null
  const before = stage.vault.heard.length
  const sent = own.send(await signedOrder('alice', 'taken')).catch((error: unknown) => error)
  await until('the vault actor has it', () => stage.vault.heard.length > before)
  scope = 'read'
  line.cut()
  await back
  const later = own.send(await signedOrder('alice', 'refused')).catch((error: unknown) => error)
  t.match(await sent, { name: 'OutcomeUnknown' })
  await connection.close()
  await later
})

t.test('a damaged request is refused, in the words of HTTP', async (t) => {
  const ask = async (connection: NatsConnection, operation: string, data: Uint8Array | string): Promise<string> => {
    const answer = (await connection.request(subjects.traderRequest(addressFor('alice'), addressFor('alice'), operation), data, { timeout: 10_000 })).json<OperationAnswer>()
    t.match(answer.body, { type: /^urn:darkpool:error:/, status: answer.status, requestId: /^gw_/ })
    return (answer.body as { code: string }).code
  }
  for (const text of ['{', '[]', 'null', '"x"', '7', '{"after":-1}', '{"after":1.5}', '{"after":"0"}', '{"after":0,"limit":0}', '{"after":0,"limit":1001}', '{"after":0,"x":1}', '{"__proto__":1}']) t.equal(await ask(alice, 'replay', text), 'request_malformed', text)
  t.equal(await ask(alice, 'orders', ''), 'request_malformed')
  t.equal(await ask(alice, 'orders', '{"messages":[]}'), 'request_malformed')
  t.equal(await ask(alice, 'balances', '{"account":"x"}'), 'request_malformed')
  t.equal(await ask(alice, 'orders', Uint8Array.of(0x22, 0xff, 0xfe, 0x22)), 'request_malformed', 'no UTF-8')
  t.equal(await ask(alice, 'orders', ' '.repeat(limits.batchBytes + 1)), 'request_too_large')
  const one = JSON.stringify(await signedOrder('alice', 'nine'))
  t.equal(await ask(alice, 'orders', ' '.repeat(limits.requestBytes) + one), 'request_too_large')
})
