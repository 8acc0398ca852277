import t from 'tap'
import { Client } from '../../src/client/client.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { AccountId, Amount, Lots, MarketName, Milliseconds, OrderId, Seconds, Ticks } from '../../src/protocol/identity.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import type { PairOutcome } from '../../src/protocol/pair.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import type { OrderState } from '../../src/protocol/vault.ts'
import { call, refused } from './call.ts'
import { openStage, trader } from './stage.ts'

const stage = await openStage()
t.teardown(() => stage.close())
const alice = trader('alice')
const client = await Client.open(stage.url, alice)
const id = 'ab'.repeat(32) as OrderId
const from = pairActor('EURC-USDC' as MarketName)
const left: PairOutcome = { order: id, status: 'open', reason: null, ticks: 101_000 as Ticks, lots: 50 as Lots, filledLots: 30 as Lots, filledQuote: 1_500n as Amount, created: 3 as Milliseconds, time: 5 as Milliseconds }
/** The same as its vault actor tells it. */
const known: OrderState = {
  id, clientOrderId: 'mine', account: alice.address as AccountId, market: 'XLM-USDC' as MarketName, side: 'buy', type: 'limit', ticks: 1_200 as Ticks, lots: 50 as Lots, spend: 0n as Amount, timeInForce: 'GTC',
  terms: plainTerms, expires: 2_000_000_000 as Seconds, status: 'open', reason: null, filledLots: 30 as Lots, filledQuote: 1_500n as Amount, created: 3 as Milliseconds, updated: 7 as Milliseconds,
}
const put = (body: unknown, path = id as string) => call(stage.url, 'PUT', `/api/v1/orders/${path}`, body)

t.beforeEach(() => {
  stage.vault.packets.length = 0
})

t.test('a signed amend: the pair actor answers, in its own market’s decimals', async (t) => {
  stage.vault.script = () => ({ answer: { ok: left }, from })
  const request = await client.signAmend(id, '1.01', '5')
  t.strictSame(await client.sendAmend(request), {
    id, market: 'EURC-USDC', status: 'open', reason: null, filledQuantity: '3', filledQuote: '0.00015', updated: '1970-01-01T00:00:00.005Z', price: '1.01', quantity: '5',
  })
  t.match(stage.vault.heard, [{ kind: 'amend', id: messageId(request.message), order: id, account: alice.address, signer: alice.address, price: '1.01', quantity: '5' }])
})

t.test('a message that was seen before: 200 where the market has said, 202 where it has yet to', async (t) => {
  const request = await client.signAmend(id, '0.12', '50')
  for (const [waiting, status] of [[false, 200], [true, 202]] as const) {
    stage.vault.script = () => ({ answer: { ok: { amended: known, waiting } } })
    t.match(await put(request), { status, json: { id, market: 'XLM-USDC', price: '0.12', quantity: '50', filledQuantity: '30', updated: '1970-01-01T00:00:00.007Z' } })
  }
})

t.test('a refusal carries the order as it was found, whoever found it', async (t) => {
  stage.vault.script = () => ({ answer: { refused: 'amend_too_late', found: left }, from })
  const late = await put(await client.signAmend(id, '1.01', '3'))
  refused(t, late, 'amend_too_late')
  t.match(late.json.order, { id, market: 'EURC-USDC', status: 'open', quantity: '5', filledQuantity: '3' })
  stage.vault.script = () => ({ answer: { refused: 'order_not_open', found: { ...known, status: 'filled', reason: 'filled', filledLots: 50 } } })
  await t.rejects(client.amendOrder(id, '0.12', '60'), { name: 'Refused', code: 'order_not_open', order: { id, market: 'XLM-USDC', status: 'filled', reason: 'filled', filledQuantity: '50' } })
})

t.test('refusals', async (t) => {
  const codes: ErrorCode[] = ['order_unknown', 'funds_insufficient', 'amends_exceeded', 'price_off_tick', 'market_halted', 'post_only_would_trade']
  for (const code of codes) {
    stage.vault.script = () => ({ answer: { refused: code } })
    const answer = await put(await client.signAmend(id, '1', '1'))
    refused(t, answer, code)
    t.notOk('order' in answer.json)
  }
  const request = await client.signAmend(id, '1', '1')
  stage.vault.packets.length = 0
  refused(t, await put(request, 'cd'.repeat(32)), 'order_mismatch')
  refused(t, await put(request, 'not-an-id'), 'request_malformed')
  refused(t, await put({ ...request, message: { ...request.message, quantity: '2' } }), 'signature_invalid')
  refused(t, await put(await client.signAmend(id, '01', '1')), 'message_malformed')
  refused(t, await put(await client.signCancel(id)), 'action_unsupported')
  refused(t, await put(await client.signAmend(id, '1', '1', { expires: 1 })), 'message_expired')
  refused(t, await put(await client.signAmend(id, '1', '1', { expires: Math.floor(Date.now() / 1000) + 172_800 + 60 })), 'expiry_too_far')
  t.strictSame(stage.vault.heard, [])
})
