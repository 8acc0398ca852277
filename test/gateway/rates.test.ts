import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import type { SignedRequest } from '../../src/client/messages.ts'
import type { SecretSigner } from '../../src/client/secretSigner.ts'
import type { Rate } from '../../src/gateway/limits/buckets.ts'
import { limits } from '../../src/protocol/limits.ts'
import type { PlaceOrder } from '../../src/protocol/vault.ts'
import { call, refused } from './call.ts'
import { marketName, resting } from './fakeVault.ts'
import { openStage, trader } from './stage.ts'
import type { Stage } from './stage.ts'

// Windows of a day: what is used up does not come back while a test runs, however slow the machine.
const daily = (quota: number): Rate => ({ quota, window_s: 86_400 })
const [alice, bob] = [trader('alice'), trader('bob')]
const id = 'ab'.repeat(32)

async function staged(rates: object, more: object = {}): Promise<Stage> {
  const stage = await openStage({}, (file) => ({ ...file, gateway: { ...file.gateway, rates: { ...file.gateway.rates, ...rates }, ...more } }))
  t.teardown(() => stage.close())
  stage.vault.script = (asked) => ('order' in asked ? { answer: { refused: 'order_unknown' } } : resting(asked as PlaceOrder))
  return stage
}
const sign = async (stage: Stage, signer: SecretSigner): Promise<SignedRequest> =>
  (await Client.open(stage.url, signer)).signOrder(marketName, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
const post = (stage: Stage, body: unknown) => call(stage.url, 'POST', '/api/v1/orders', body)
const cancel = async (stage: Stage, signer: SecretSigner) => call(stage.url, 'DELETE', `/api/v1/orders/${id}`, await (await Client.open(stage.url, signer)).signCancel(id))

t.test('a key that has used up its orders is told so, may cancel still, and takes nothing from another', async (t) => {
  const stage = await staged({ orders: daily(2), cancels: daily(2) })
  const first = await post(stage, await sign(stage, alice))
  t.equal(first.status, 201)
  t.equal(first.headers.get('ratelimit-policy'), '"orders";q=2;w=86400')
  t.match(first.headers.get('ratelimit'), /^"orders";r=1;t=43200$/)
  await post(stage, await sign(stage, alice))
  const third = await post(stage, await sign(stage, alice))
  refused(t, third, 'rate_exceeded')
  t.match(third.headers.get('ratelimit'), /^"orders";r=0;t=/)
  t.ok(Number(third.headers.get('retry-after')) > 40_000)
  t.equal(stage.vault.heard.length, 2, 'nothing of it went further')
  refused(t, await cancel(stage, alice), 'order_unknown')
  refused(t, await cancel(stage, alice), 'order_unknown')
  refused(t, await cancel(stage, alice), 'rate_exceeded')
  t.equal((await post(stage, await sign(stage, bob))).status, 201)
})

t.test('only who has signed is counted', async (t) => {
  const stage = await staged({ orders: daily(1) })
  for (let n = 0; n < 3; n++) refused(t, await post(stage, { ...(await sign(stage, alice)), signature: Buffer.alloc(64).toString('base64') }), 'signature_invalid')
  t.equal((await post(stage, await sign(stage, alice))).status, 201)
})

t.test('a batch counts as what is in it', async (t) => {
  const stage = await staged({ orders: daily(3) })
  const client = await Client.open(stage.url, alice)
  const order = { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' } as const
  const results = await client.placeOrders(marketName, [order, order, order, order], { retry: false })
  t.same(results.map((result) => result.order?.status ?? (result.error as { code?: string }).code), ['open', 'open', 'open', 'rate_exceeded'])
})

t.test('an address that sends too much is refused before anything is read; its cancels have a budget of their own', async (t) => {
  const stage = await staged({ requests: daily(6), addressCancels: daily(2) })
  const [order, taken] = [await sign(stage, alice), await (await Client.open(stage.url, alice)).signCancel(id)]
  // Opening a client takes two requests.
  for (let n = 4; n < 6; n++) await call(stage.url, 'GET', '/api/v1/time')
  refused(t, await post(stage, order), 'rate_exceeded')
  refused(t, await call(stage.url, 'GET', '/nowhere'), 'rate_exceeded')
  refused(t, await call(stage.url, 'DELETE', `/api/v1/orders/${id}`, taken), 'order_unknown')
  refused(t, await call(stage.url, 'DELETE', '/api/v1/orders/batch', { messages: 'none' }), 'request_malformed')
  refused(t, await call(stage.url, 'DELETE', `/api/v1/orders/${id}`, taken), 'rate_exceeded')
})

t.test('reads are counted by account', async (t) => {
  const stage = await staged({ reads: daily(2) })
  stage.vault.script = () => ({ answer: { ok: [] } })
  const [hers, his] = [await Client.open(stage.url, alice), await Client.open(stage.url, bob)]
  await hers.balances()
  await hers.balances()
  await t.rejects(hers.balances(), { code: 'rate_exceeded' })
  await t.resolves(his.balances())
})

t.test('where the gateway is nearly full, cancels pass and orders do not', async (t) => {
  const stage = await staged({})
  const { admission } = stage.gateway
  const [order, taken] = [await sign(stage, alice), await (await Client.open(stage.url, alice)).signCancel(id)]
  let held = 0
  for (; held < (limits.gatewayInFlight * 7) / 8; held++) admission.enter(true)
  refused(t, await post(stage, order), 'venue_overloaded')
  refused(t, await call(stage.url, 'DELETE', `/api/v1/orders/${id}`, taken), 'order_unknown')
  for (; held > 0; held--) admission.leave()
  t.equal((await post(stage, order)).status, 201)
})

t.test('an account whose vault actor is far behind gets no orders in, before its signature is looked at', async (t) => {
  const stage = await staged({})
  const order = await sign(stage, alice)
  t.equal((await post(stage, order)).status, 201)
  Object.assign(stage.gateway.owners, { backlog: () => limits.vaultBacklog })
  refused(t, await post(stage, { ...order, signature: Buffer.alloc(64).toString('base64') }), 'venue_overloaded')
})

t.test('connections of one address are bounded; one more is closed unread, and room comes back', async (t) => {
  const stage = await staged({}, { connectionsPerAddress: 3 })
  const { hostname, port } = new URL(stage.url)
  const open = async () => {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }
  const alive = async (socket: Awaited<ReturnType<typeof open>>): Promise<boolean> => {
    socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
    return Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)])
  }
  const sockets = [await open(), await open(), await open()]
  for (const socket of sockets) t.ok(await alive(socket))
  t.notOk(await alive(await open()))
  const [first] = sockets
  first!.destroy()
  for (;;) {
    const next = await open()
    if (await alive(next)) break
  }
  for (const socket of sockets) socket.destroy()
})

t.test('the limits are published as they hold here', async (t) => {
  const stage = await staged({ orders: daily(7) }, { connectionsPerAddress: 9 })
  const { json } = await call(stage.url, 'GET', '/api/v1/limits')
  t.match(json, { connectionsPerAddress: 9, openOrders: limits.openOrdersPerAccount, requestBytes: limits.requestBytes })
  t.match((json.rates as { name: string }[]).find(({ name }) => name === 'orders'), { name: 'orders', ...daily(7) })
})
