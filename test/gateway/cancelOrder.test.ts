import t from 'tap'
import { Client } from '../../src/client/client.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { Amount, Lots, MarketName, Milliseconds, OrderId, Ticks } from '../../src/protocol/identity.ts'
import { canonicalJson } from '../../src/protocol/messages/canonical.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import type { PairOutcome } from '../../src/protocol/pair.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import { call, refused } from './call.ts'
import { openStage, trader } from './stage.ts'

const stage = await openStage()
t.teardown(() => stage.close())
const alice = trader('alice')
const client = await Client.open(stage.url, alice)
const id = 'ab'.repeat(32) as OrderId
const cancelled: PairOutcome = { order: id, status: 'cancelled', reason: 'cancelled', ticks: 5 as Ticks, lots: 50 as Lots, filledLots: 30 as Lots, filledQuote: 1_500n as Amount, created: 3 as Milliseconds, time: 5 as Milliseconds }

t.test('a signed cancel: the pair actor answers, in its own market’s decimals', async (t) => {
  stage.vault.script = () => ({ answer: { ok: cancelled }, from: pairActor('EURC-USDC' as MarketName) })
  const request = await client.signCancel(id)
  const answer = await client.sendCancel(request)
  t.strictSame(answer, { id, market: 'EURC-USDC', status: 'cancelled', reason: 'cancelled', filledQuantity: '3', filledQuote: '0.00015', updated: '1970-01-01T00:00:00.005Z' })
  t.match(stage.vault.heard, [{ kind: 'cancel', clientOrderId: null, id: messageId(request.message), order: id, account: alice.address, signer: alice.address }])
})

t.test('a signed cancel by client order id', async (t) => {
  stage.vault.script = () => ({ answer: { ok: cancelled }, from: pairActor('XLM-USDC' as MarketName) })
  t.match(await client.cancelOrderByClientId('mine'), { id, status: 'cancelled' })
  t.match(stage.vault.heard.at(-1), { kind: 'cancel', order: null, clientOrderId: 'mine', account: alice.address })
  const [byName, byId] = [await client.signCancelByClientId('mine'), await client.signCancel(id)]
  refused(t, await call(stage.url, 'DELETE', '/api/v1/orders/client/yours', byName), 'order_mismatch')
  refused(t, await call(stage.url, 'DELETE', '/api/v1/orders/client/mine', byId), 'order_mismatch')
  refused(t, await call(stage.url, 'DELETE', `/api/v1/orders/${id}`, byName), 'order_mismatch')
  refused(t, await call(stage.url, 'DELETE', '/api/v1/orders/client/not%20one', byName), 'request_malformed')
  const both = { ...byName.message, order: id }
  refused(t, await call(stage.url, 'DELETE', '/api/v1/orders/client/mine', { message: both, signature: alice.signMessage(canonicalJson(both)) }), 'message_malformed')
})

t.test('the vault actor answers for an order that is closed already', async (t) => {
  stage.vault.script = (asked) => {
    const { order, ...outcome } = cancelled
    return { answer: { ok: { ...outcome, id: order, account: (asked as { account: string }).account, market: 'XLM-USDC', updated: 7 } } }
  }
  t.match(await client.cancelOrder(id), { id, market: 'XLM-USDC', filledQuantity: '30' })
})

t.test('refusals', async (t) => {
  const codes: ErrorCode[] = ['order_unknown', 'order_not_open', 'signer_not_allowed', 'market_unavailable']
  for (const code of codes) {
    stage.vault.script = () => ({ answer: { refused: code } })
    refused(t, await call(stage.url, 'DELETE', `/api/v1/orders/${id}`, await client.signCancel(id)), code)
  }
  const request = await client.signCancel(id)
  const send = (body: unknown, path = id as string) => call(stage.url, 'DELETE', `/api/v1/orders/${path}`, body)
  stage.vault.packets.length = 0
  refused(t, await send(request, 'cd'.repeat(32)), 'order_mismatch')
  refused(t, await send(request, 'not-an-id'), 'request_malformed')
  refused(t, await send({ ...request, message: { ...request.message, nonce: 'other' } }), 'signature_invalid')
  refused(t, await send(await client.signOrder('XLM-USDC', { side: 'buy', type: 'limit', price: '1', quantity: '5', timeInForce: 'GTC' })), 'action_unsupported')
  refused(t, await send(await client.signCancel(id, { expires: 1 })), 'message_expired')
  refused(t, await send(await client.signCancel(id, { expires: Math.floor(Date.now() / 1000) + 172_800 + 60 })), 'expiry_too_far')
  t.strictSame(stage.vault.heard, [])
})
