import { connect } from '@nats-io/transport-node'
import { Keypair } from '@stellar/stellar-sdk'
import t from 'tap'
import type { Test } from 'tap'
import { Client } from '../../src/client/client.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import { openNats } from '../../src/client/natsConnection.ts'
import { NatsRequests } from '../../src/client/natsRequests.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import type { StreamMessage } from '../../src/client/views/stream.ts'
import type { OrderView } from '../../src/protocol/feed.ts'
import { canonicalJson } from '../../src/protocol/messages/canonical.ts'
import { VENUE_NAME } from '../../scripts/venue/venueFile.ts'
import { StreamClient } from '../gateway/streams/streamClient.ts'
import { until } from '../settlement/waiting.ts'
import { persist, refusal, VenueUnderTest } from './venueUnderTest.ts'

// Streams of a whole running venue: followed through the death of a gateway, ended with what was let in, and what their end takes back.

const XLM = 'XLM-USDC'
const PRICE = '0.5'

t.setTimeout(900_000)
const under = await VenueUnderTest.start(2)
const { venue } = under
const books = await under.books('alice', 'bob')
t.teardown(async () => {
  await books.close()
  await under.stop()
})
const alice = books.client('alice')

/** All that the account's feed may say. */
const everything = ['orders', 'fills', 'settlement', 'keys'] as const

/** Follows a stream as a program does, until it is told to stop. */
function follow(channels: Parameters<typeof alice.stream>[0]['channels'], after?: number): { readonly heard: readonly StreamMessage[]; stop(): Promise<void> } {
  const heard: StreamMessage[] = []
  const ended = new AbortController()
  const reading = (async () => {
    for await (const message of alice.stream({ channels, signal: ended.signal, ...(after !== undefined && { after }) })) heard.push(message)
  })()
  return {
    heard,
    stop: async () => {
      ended.abort()
      await reading
    },
  }
}

/** What a stream has told of the feed, and the feed as NATS tells it, are one. @param from number of the first message */
function compare(t: Test, heard: readonly StreamMessage[], from: number): void {
  const told = heard.flatMap((message) => (message.type === 'update' && message.channel !== 'balances' && message.channel !== 'market' ? [message.data] : []))
  t.strictSame(told, books.feed('alice').messages.slice(from - 1), 'every message once, in order, as on NATS')
}
const lastOf = (heard: readonly StreamMessage[]): number => Math.max(0, ...heard.map((message) => ('seq' in message ? message.seq : 0)))

async function trade(quantity: string): Promise<void> {
  await books.limit('alice', XLM, 'sell', quantity, PRICE)
  await books.limit('bob', XLM, 'buy', quantity, PRICE)
  books.traded('bob', 'alice', XLM, quantity, PRICE)
}

t.test('a snapshot, then what happens, while the gateway is killed and started again', async (t) => {
  const resting = await books.limit('alice', XLM, 'sell', '7', '0.9')
  books.reserves('alice', 'XLM', '7')
  const stream = follow([...everything, 'balances'])
  await until('the snapshots', () => stream.heard.filter(({ type }) => type === 'snapshot').length === 2)
  const [orders] = stream.heard.filter((message) => message.type === 'snapshot' && message.channel === 'orders')
  t.match(orders, { data: [{ id: resting.id, status: 'open' }] })
  const first = lastOf(stream.heard) + 1

  for (let round = 1; round <= 3; round++) {
    await trade('1')
    await venue.gateway.kill()
    await venue.gateway.start()
    await venue.ready()
    await trade('2')
  }
  await books.check(t)
  await until('the stream is where the feed is', () => lastOf(stream.heard) === books.feed('alice').messages.length)
  compare(t, stream.heard, first)
  const balances = (): StreamMessage | undefined => stream.heard.findLast((message) => 'channel' in message && message.channel === 'balances')
  const settled = (await alice.balances()).find(({ asset }) => asset === 'XLM')
  await until('balances are what they are', () => JSON.stringify((balances() as { data: unknown } | undefined)?.data).includes(JSON.stringify(settled)))
  t.equal(stream.heard.filter((message) => message.type === 'snapshot' && message.channel === 'orders').length, 1, 'nothing was lost, so nothing began anew')
  await stream.stop()
})

t.test('a program that was away goes on behind the number that it has kept', async (t) => {
  const kept = books.feed('alice').messages.length - 5
  await trade('1')
  const stream = follow(everything, kept)
  await trade('1')
  await books.check(t)
  await until('it has all', () => lastOf(stream.heard) === books.feed('alice').messages.length)
  compare(t, stream.heard, kept + 1)
  await stream.stop()
})

/** A connection that has logged in with the account's own key. */
async function watched(): Promise<StreamClient> {
  const client = await StreamClient.open(venue.gatewayUrl)
  const message = { ...alice.binding, action: 'login', nonce: client.challenge, expires: String(Math.floor(Date.now() / 1_000) + 60) }
  const { status } = await client.ask('login', { message, signature: await alice.signer.signMessage(canonicalJson(message)), cancelOnDisconnect: true })
  if (status !== 200) throw new Error(`the login was answered with ${status}`)
  return client
}

async function tookBack(order: OrderView): Promise<void> {
  await until('the order is taken back', async () => (await persist(() => alice.order(order.id))).status === 'cancelled')
}

t.test('cancel on disconnect: when the connection ends, and when its gateway dies', async (t) => {
  const ends: [string, (client: StreamClient) => Promise<unknown>][] = [
    ['the connection ends', async (client) => client.close()],
    ['the gateway is killed', () => venue.gateway.kill().then(() => venue.gateway.start())],
  ]
  for (const [what, end] of ends) {
    const client = await watched()
    const order = await books.limit('alice', XLM, 'sell', '3', '0.8')
    t.equal((await alice.order(order.id)).status, 'open')
    await end(client)
    await tookBack(order)
    t.match(await alice.order(order.id), { status: 'cancelled', reason: 'dead_man', filledQuantity: '0' }, what)
  }
  books.reserves('alice', 'XLM', '0')
  await books.check(t)
})

t.test('a bot whose key is revoked is out within seconds, wherever it came in', async (t) => {
  const key = Keypair.random()
  await alice.delegate(key.publicKey(), { scope: 'trade', until: Math.floor(Date.now() / 1_000) + 3_600 })
  const bot = await Client.open(venue.gatewayUrl, new SecretSigner(key.secret()), { account: alice.signer.address })
  const access = keyAccess(key.secret(), alice.signer.address)
  const nats = await openNats((options) => connect({ ...options, reconnect: false }), alice.venue, access)
  t.teardown(() => nats.close())
  const asked = new NatsRequests(nats, VENUE_NAME, access)
  const heard: string[] = []
  nats.subscribe(`dp.v1.${VENUE_NAME}.feed.${alice.signer.address}`, { callback: (failure, { subject }) => void (failure === null && heard.push(subject)) })
  await nats.flush()
  const socket = await StreamClient.open(venue.gatewayUrl)
  t.equal((await socket.ask('login', { token: await bot.login() })).status, 200)
  t.equal((await socket.ask('subscribe', { channels: ['orders', 'fills'] })).status, 200)

  const order = { side: 'sell', type: 'limit', price: '0.95', quantity: '1', timeInForce: 'GTC' } as const
  const placed = [await bot.placeOrder(XLM, order), await asked.send(await bot.signOrder(XLM, order))]
  t.match(await socket.ask('place', await bot.signOrder(XLM, order)), { status: 201 })
  t.ok((await bot.balances()).length > 0)
  await until('it hears of them', () => heard.length >= 3 && socket.updates('orders').length >= 3)

  await alice.revoke(key.publicKey())
  t.equal(await refusal(bot.placeOrder(XLM, order)), 'signer_not_allowed', 'at once where orders are taken')
  const beside = await StreamClient.open(venue.gatewayUrl)
  t.match(await beside.ask('place', await bot.signOrder(XLM, order)), { problem: { code: 'signer_not_allowed' } })
  beside.close()
  t.strictSame(await socket.ended(), { code: 4001, reason: 'session_ended' })
  await nats.closed()
  await until('it reads nothing more', async () => (await refusal(bot.balances())) !== 'taken')
  await t.rejects(openNats((options) => connect({ ...options, reconnect: false, ignoreAuthErrorAbort: false }), alice.venue, access), { name: /Authorization/ })
  books.reserves('alice', 'XLM', '3')
  const [before, frames] = [heard.length, socket.sent.length]
  await trade('1')
  await books.check(t)
  t.same([heard.length, socket.sent.length], [before, frames], 'nothing of what came afterwards was heard')
  for (const { id } of placed) t.equal((await alice.order(id)).status, 'open', 'its orders stay')
  await alice.cancelAllOrders()
  books.reserves('alice', 'XLM', '0')
  await books.check(t)
})
