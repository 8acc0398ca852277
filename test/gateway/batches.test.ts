import t from 'tap'
import { Client } from '../../src/client/client.ts'
import type { SignedRequest } from '../../src/client/messages.ts'
import { OutcomeUnknown, Refused } from '../../src/client/errors.ts'
import type { OrderId } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import type { PlaceOrder } from '../../src/protocol/vault.ts'
import { call, refused } from './call.ts'
import { marketName, resting } from './fakeVault.ts'
import { contractOf, openStage, trader } from './stage.ts'

const stage = await openStage({ answerTimeout_ms: 500 })
t.teardown(() => stage.close())
const alice = trader('alice')
const client = await Client.open(stage.url, alice)
const order = (price: string) => ({ side: 'buy', type: 'limit', price, quantity: '10', timeInForce: 'GTC' }) as const
const sign = (price: string): Promise<SignedRequest> => client.signOrder(marketName, order(price))
const post = (messages: readonly unknown[]) => call(stage.url, 'POST', '/api/v1/orders/batch', { messages })

let before = 0
const heard = () => stage.vault.heard.slice(before)

t.beforeEach(() => {
  before = stage.vault.heard.length
  stage.vault.script = (asked) => resting(asked as PlaceOrder)
})

t.test('a hundred orders, each with its result, reach their vault actor in their order', async (t) => {
  const prices = Array.from({ length: limits.batchMessages }, (_, n) => `0.${1_001 + 10 * n}`)
  const requests = await Promise.all(prices.map(sign))
  const results = await client.sendOrders(requests)
  t.same(results.map(({ order }) => order?.price), prices)
  t.same((heard() as unknown as readonly PlaceOrder[]).map(({ ticks }) => ticks), prices.map((price) => Number(price.slice(2))), 'and no signature that was checked sooner overtakes')
  t.equal(stage.gateway.admission.inFlight, 0)
})

t.test('one that is refused keeps no other back, whoever refuses it', async (t) => {
  const good = [await sign('0.12'), await sign('0.13')] as const
  const forged = { ...(await sign('0.12')), signature: Buffer.alloc(64).toString('base64') }
  const elsewhere = await client.signOrder(marketName, order('0.12'))
  const changed = { ...elsewhere, message: { ...elsewhere.message, vault: contractOf('another vault') } }
  const poor = await sign('0.14')
  stage.vault.script = (asked) => ((asked as PlaceOrder).ticks === 1_400 ? { answer: { refused: 'funds_insufficient' } } : resting(asked as PlaceOrder))
  const { status, json } = await post([forged, good[0], changed, poor, good[1]])
  t.equal(status, 200)
  const results = json.results as { status: number; order?: { price: string }; problem?: { code: string; requestId: string } }[]
  t.same(results.map((result) => [result.status, result.problem?.code ?? result.order?.price]), [
    [401, 'signature_invalid'],
    [201, '0.12'],
    [422, 'vault_mismatch'],
    [422, 'funds_insufficient'],
    [201, '0.13'],
  ])
  t.ok(results[0]!.problem!.requestId)
  t.equal(heard().length, 3, 'what the gateway refused went nowhere')
})

t.test('an order that nobody answers is unknown; the others are not', async (t) => {
  stage.vault.script = (asked) => ((asked as PlaceOrder).ticks === 1_400 ? null : resting(asked as PlaceOrder))
  const results = await client.placeOrders(marketName, [order('0.14'), order('0.12')], { retry: false })
  t.ok(results[0]!.error instanceof OutcomeUnknown)
  t.equal(results[1]!.order?.price, '0.12')
  t.equal(stage.gateway.admission.inFlight, 0)
})

t.test('cancels, with the order as it was found where one is refused', async (t) => {
  const ids = ['ab', 'cd'].map((byte) => byte.repeat(32) as OrderId)
  const found = { id: ids[1], account: alice.address, market: marketName, status: 'filled', reason: 'filled', filledLots: 50, filledQuote: 1_500n, updated: 7 }
  stage.vault.script = (asked) =>
    'order' in asked && asked.order === ids[0]
      ? { answer: { ok: { ...found, id: ids[0], status: 'cancelled', reason: 'cancelled' } } }
      : { answer: { refused: 'order_not_open', found } as never }
  const results = await client.cancelOrders(ids)
  t.match(results[0], { order: { id: ids[0], status: 'cancelled' } })
  t.ok(results[1]!.error instanceof Refused)
  t.match(results[1]!.error, { code: 'order_not_open', order: { id: ids[1], status: 'filled' } })
})

t.test('a body of another shape is refused as a whole', async (t) => {
  const one = await sign('0.12')
  for (const body of [{}, { messages: [] }, { messages: Array(limits.batchMessages + 1).fill(one) }, { messages: [one, { ...one, signature: 'x' }] }, { messages: [one, null] }, { orders: [one] }]) {
    refused(t, await call(stage.url, 'POST', '/api/v1/orders/batch', body), 'request_malformed')
  }
  t.equal(heard().length, 0, 'nothing of it was taken')
})

t.test('where the gateway is full, what no longer fits is refused, and what was taken is answered', async (t) => {
  const { admission } = stage.gateway
  let taken = 0
  for (; taken < (limits.gatewayInFlight * 7) / 8 - 2; taken++) admission.enter(true)
  try {
    const results = await client.placeOrders(marketName, ['0.12', '0.13', '0.14'].map(order), { retry: false })
    t.same(results.map((result) => result.order?.price ?? (result.error as Refused).code), ['0.12', '0.13', 'venue_overloaded'])
  } finally {
    for (; taken > 0; taken--) admission.leave()
  }
})
