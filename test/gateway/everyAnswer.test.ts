import t from 'tap'
import { Client } from '../../src/client/client.ts'
import type { SignedRequest } from '../../src/client/messages.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { FeedEvent } from '../../src/protocol/feed.ts'
import type { AccountId, Amount, Lots, Milliseconds, OrderId, Ticks, TradeId } from '../../src/protocol/identity.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import { openEvidence } from '../enclave/evidenceStage.ts'
import { call, refused } from './call.ts'
import type { Called } from './call.ts'
import type { Script } from './fakeVault.ts'
import { marketName, resting } from './fakeVault.ts'
import { LeafWriter } from './leafWriter.ts'
import type { Operation } from './recorder.ts'
import { Elsewhere, provoke } from './provocations.ts'
import type { Change, Good } from './provocations.ts'
import { openStage, trader, venueFile } from './stage.ts'

// Every route, status and code of the served description, provoked: the description promises nothing that does not happen.

const enclave = await openEvidence(venueFile({ url: 'nats://127.0.0.1:1', user: 'nobody' }))
t.teardown(() => enclave.close())
const stage = await openStage({ answerTimeout_ms: 400 }, undefined, undefined, { evidence: enclave.gateway })
t.teardown(() => stage.close())
const elsewhere = new Elsewhere()
t.teardown(() => elsewhere.close())
const alice = trader('alice')
const client = await Client.open(stage.url, alice)
const token = await client.login()
// Every route with each of its refusals, some of which take a gateway of their own.
t.setTimeout(1_200_000)
const id = 'ab'.repeat(32)
const open = stage.pair.status
const bot = trader('bot')

const order = {
  id, clientOrderId: 'mine', account: alice.address, market: marketName, side: 'buy', type: 'limit', ticks: 1_200, lots: 50, spend: 0n, timeInForce: 'GTC', terms: plainTerms, expires: 2_000_000_000,
  status: 'open', reason: null, filledLots: 30, filledQuote: 1_500n, created: 3, updated: 7,
}
const outcome = { order: id, status: 'open', reason: null, ticks: 101_000, lots: 50, filledLots: 30, filledQuote: 1_500n, created: 3, time: 5 }
const withdrawal = { id, account: alice.address, asset: stage.venue.assets[0]!.contract, amount: 10n, status: 'requested', authorization: null, validUntil: null, transaction: null, ledger: null }
const timer = { signer: alice.address, timeout_ms: 30_000, deadline: 1_800_000_000_000, waiting: [] }
const key = { key: bot.address, scope: 'trade', market: null, until: 2_000_000_000, status: 'active' }
const from = pairActor(marketName)
const ok = (value: unknown, actor?: typeof from): Script => () => ({ answer: { ok: value }, ...(actor === undefined ? {} : { from: actor }) })
const placed = (): Promise<SignedRequest> => client.signOrder(marketName, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
const sweep = (markets: string[]) => ok({ id, cancelled: 1, markets, halted: [] })

await stage.feeds.open()
const traded: Trade = {
  kind: 'trade', id: 'XLM-USDC:1' as TradeId, market: marketName, buyer: alice.address as AccountId, seller: bot.address as AccountId, buyOrder: id as OrderId, sellOrder: 'cd'.repeat(32) as OrderId,
  ticks: 1_000 as Ticks, lots: 5 as Lots, base: 50_000_000n as Amount, quote: 5_000_000n as Amount, buyerFee: 0n as Amount, sellerFee: 0n as Amount, time: 1_700_000_000_000 as Milliseconds, journal: new Uint8Array(32),
}
const stored = await new LeafWriter(stage.gateway.connection, stage.venue).store([traded])
await stage.feeds.store(
  alice.address,
  { type: 'fill', trade: 'XLM-USDC:1', order: id, market: 'XLM-USDC', side: 'buy', role: 'maker', price: '0.1', quantity: '5', quote: '0.5', fee: '0', feeAsset: 'XLM' },
  { type: 'fill', trade: 'XLM-USDC:2', order: id, market: 'XLM-USDC', side: 'buy', role: 'maker', price: '0.1', quantity: '5', quote: '0.5', fee: '0', feeAsset: 'XLM' },
  // As it was told before there were receipts.
  { type: 'fill', trade: 'EURC-USDC:1', order: id, market: 'EURC-USDC', side: 'buy', role: 'maker', price: '1.1', quantity: '5', quote: '5.5', fee: '0', feeAsset: 'EURC' },
  { type: 'settled', trades: ['EURC-USDC:1'], transaction: 'cd'.repeat(32), ledger: 3 } as unknown as FeedEvent,
  { type: 'settled', trades: ['XLM-USDC:1'], transaction: 'cd'.repeat(32), ledger: 7, receipts: stored.places(alice.address as AccountId) },
  { type: 'deposit', asset: 'XLM', amount: '7', transaction: 'ef', ledger: 9 },
  { type: 'withdrawal', withdrawal: { id, asset: 'XLM', amount: '1', status: 'requested', authorization: null, validUntil: null, transaction: null, ledger: null } },
)

/** For each route a request that is as it should be, and what the venue has to say for each good answer. */
const good: Record<string, Good> = {
  'POST /api/v1/orders': {
    body: placed,
    scripts: { 200: ok(order), 201: (asked) => (asked.kind === 'place' ? resting(asked) : null), 202: ok({ ...order, status: 'pending' }) },
  },
  'PUT /api/v1/orders/{id}': { body: () => client.signAmend(id, '0.12', '50'), scripts: { 200: ok(outcome, from), 202: ok({ amended: order, waiting: true }) } },
  'DELETE /api/v1/orders/{id}': { body: () => client.signCancel(id), scripts: { 200: ok({ ...outcome, status: 'cancelled', reason: 'cancelled' }, from) } },
  'DELETE /api/v1/orders/client/{clientOrderId}': { body: () => client.signCancelByClientId('mine'), scripts: { 200: ok({ ...outcome, status: 'cancelled', reason: 'cancelled' }, from) } },
  'DELETE /api/v1/orders': { body: () => client.signCancelAll(marketName), scripts: { 200: sweep([]), 202: sweep([marketName]) } },
  'POST /api/v1/orders/batch': { body: async () => ({ messages: [await placed()] }), scripts: { 200: ok(order) } },
  'DELETE /api/v1/orders/batch': { body: async () => ({ messages: [await client.signCancel(id)] }), scripts: { 200: () => ({ answer: { refused: 'order_unknown' } }) } },
  'POST /api/v1/dead-man': { body: () => client.signDeadMan(30), scripts: { 200: ok(timer), 202: ok({ ...timer, waiting: [marketName] }) } },
  'GET /api/v1/dead-man': { scripts: { 200: ok([timer]) } },
  'POST /api/v1/withdrawals': { body: () => client.signWithdrawal('XLM', '1'), scripts: { 202: ok(withdrawal) } },
  'POST /api/v1/keys': { body: () => client.signDelegation(bot.address, { scope: 'trade', market: marketName, until: 2_000_000_000 }), scripts: { 200: ok(key) } },
  'DELETE /api/v1/keys/{key}': { body: () => client.signRevocation(bot.address), scripts: { 200: ok({ ...key, status: 'revoked' }) } },
  'GET /api/v1/keys': { scripts: { 200: ok([key]) } },
  'GET /api/v1/orders/{id}': { scripts: { 200: ok(order) } },
  'GET /api/v1/orders/client/{clientOrderId}': { scripts: { 200: ok(order) } },
  'GET /api/v1/orders': { scripts: { 200: ok([order]) } },
  'GET /api/v1/orderbook/{pair}': { scripts: { 200: ok([order]) } },
  'GET /api/v1/balances': { scripts: { 200: ok([{ asset: stage.venue.assets[0]!.contract, settled: 1n, pending: -1n, reserved: 0n, available: 0n }]) } },
  'GET /api/v1/withdrawals/{id}': { scripts: { 200: ok(withdrawal) } },
  'GET /api/v1/feed-key': { scripts: { 200: ok({ fed: 3, orders: [], balances: [] }) } },
  'GET /api/v1/fills': { history: alice.address, scripts: { 200: null } },
  'GET /api/v1/trades/{id}': { history: alice.address, id: 'XLM-USDC:1', scripts: { 200: null } },
  'GET /api/v1/trades/{id}/receipt': { history: alice.address, id: 'XLM-USDC:1', scripts: { 200: null } },
  'GET /api/v1/deposits': { history: alice.address, scripts: { 200: null } },
  'GET /api/v1/settlements': { history: alice.address, scripts: { 200: null } },
  'GET /api/v1/withdrawals': { history: alice.address, scripts: { 200: null } },
  'GET /api/v1/markets': { scripts: { 200: null } },
  'GET /api/v1/markets/{pair}': { scripts: { 200: null } },
  'GET /api/v1/markets/{pair}/tape': { scripts: { 200: null } },
  'GET /api/v1/stream': { scripts: {} },
  'GET /api/v1/attestation': { query: `?nonce=${id}`, scripts: { 200: null } },
  'GET /api/v1/info': { scripts: { 200: null } },
  'GET /api/v1/limits': { scripts: { 200: null } },
  'GET /api/v1/time': { scripts: { 200: null } },
  'GET /api/v1/openapi.json': { scripts: { 200: null } },
  'GET /api/v1/asyncapi.json': { scripts: { 200: null } },
  'GET /auth': { query: `?account=${alice.address}`, scripts: { 200: null } },
  'POST /auth': {
    body: async () => {
      const challenge = await call(stage.url, 'GET', `/auth?account=${bot.address}&on_behalf_of=${alice.address}`)
      return { transaction: bot.signTransaction(challenge.json.transaction as string, stage.venue.file.network.passphrase) }
    },
    scripts: { 200: ok(key) },
  },
  'GET /.well-known/stellar.toml': { scripts: { 200: null } },
  'GET /health': { scripts: { 200: null } },
  'GET /ready': { scripts: { 200: null, 503: null } },
}

const path = (operation: Operation, shown = id): string => operation.path.replace('{id}', shown).replace('{key}', bot.address).replace('{clientOrderId}', 'mine').replace('{pair}', marketName)
const codesOf = (operation: Operation): ErrorCode[] =>
  Object.values(operation.responses).flatMap(({ content }) => (content['application/problem+json']?.schema as { properties: { code: { enum: ErrorCode[] } } } | undefined)?.properties.code.enum ?? [])

for (const operation of stage.recorder.operations) {
  const name = `${operation.method} ${operation.path}`
  t.test(name, async (t) => {
    const one = good[name]
    stage.pair.status = open
    if (one === undefined) return t.fail('no good request is known for this route: add it above')
    const headers = operation.security === undefined ? {} : { authorization: `Bearer ${token}` }
    const send = async (change: Change = {}): Promise<Called> =>
      call(change.url ?? stage.url, operation.method, change.path ?? path(operation, one.id) + (one.query ?? ''), change.body ?? (await one.body?.()), change.headers ?? headers)
    for (const [status, script] of Object.entries(one.scripts)) {
      if (name === 'GET /ready' && status === '200') await stage.vault.say(stage.venue.actors)
      if (name === 'GET /ready' && status === '503') await stage.vault.say(stage.venue.actors.slice(0, 1), 'failed')
      if (script !== null) stage.vault.script = script
      await stage.vault.connected()
      t.equal((await send()).status, Number(status), `${status}`)
    }
    const documented = Object.keys(operation.responses).filter((status) => Number(status) < 300)
    t.strictSame(Object.keys(one.scripts).filter((status) => Number(status) < 300), documented, 'every good status')
    for (const code of codesOf(operation)) refused(t, await provoke(code, { stage, elsewhere, operation, good: one, send }), code)
  })
}
