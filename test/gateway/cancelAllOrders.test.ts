import t from 'tap'
import { Client } from '../../src/client/client.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import { call, refused } from './call.ts'
import { openStage, trader } from './stage.ts'

const stage = await openStage()
t.teardown(() => stage.close())
const alice = trader('alice')
const client = await Client.open(stage.url, alice)
const send = (body: unknown) => call(stage.url, 'DELETE', '/api/v1/orders', body)

t.test('of one market, of all', async (t) => {
  stage.vault.script = (asked) => ({ answer: { ok: { id: (asked as { id: string }).id, cancelled: 3, markets: [], halted: ['EURC-USDC'] } } })
  const one = await client.signCancelAll('XLM-USDC')
  t.strictSame((await send(one)).json, { id: messageId(one.message), cancelled: 3, waiting: [], halted: ['EURC-USDC'] })
  await client.cancelAllOrders()
  t.match(stage.vault.heard, [
    { kind: 'cancelAll', id: messageId(one.message), account: alice.address, signer: alice.address, market: 'XLM-USDC' },
    { kind: 'cancelAll', account: alice.address, market: null },
  ])
})

t.test('202 while markets have yet to say', async (t) => {
  stage.vault.script = () => ({ answer: { ok: { id: 'x', cancelled: 1, markets: ['XLM-USDC'], halted: [] } } })
  t.match(await send(await client.signCancelAll()), { status: 202, json: { cancelled: 1, waiting: ['XLM-USDC'] } })
})

t.test('refusals', async (t) => {
  const codes: ErrorCode[] = ['account_unknown', 'cancels_exceeded', 'market_unavailable', 'message_reused']
  for (const code of codes) {
    stage.vault.script = () => ({ answer: { refused: code } })
    refused(t, await send(await client.signCancelAll()), code)
  }
  const request = await client.signCancelAll('XLM-USDC')
  stage.vault.packets.length = 0
  refused(t, await send({ ...request, message: { ...request.message, market: 'all' } }), 'signature_invalid')
  refused(t, await send(await client.signCancelAll('XLM-EURC')), 'market_unknown')
  refused(t, await send(await client.signCancelAll('everything')), 'message_malformed')
  refused(t, await send(await client.signCancel('ab'.repeat(32))), 'action_unsupported')
  refused(t, await send(await client.signCancelAll('all', { expires: 1 })), 'message_expired')
  t.strictSame(stage.vault.heard, [])
})
