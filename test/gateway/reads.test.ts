import t from 'tap'
import { plainTerms } from '../../src/protocol/terms.ts'
import { Client } from '../../src/client/client.ts'
import type { AccountId, Amount, ContractId, Lots, MarketName, Milliseconds, OrderId, Seconds, Ticks } from '../../src/protocol/identity.ts'
import type { BalanceState, OrderState, WithdrawalState } from '../../src/protocol/vault.ts'
import { call, refused } from './call.ts'
import { contractOf, openStage, trader } from './stage.ts'

const stage = await openStage()
t.teardown(() => stage.close())
const alice = trader('alice')
const client = await Client.open(stage.url, alice)
const token = await client.login()
const get = (path: string) => call(stage.url, 'GET', path, undefined, { authorization: `Bearer ${token}` })

const digest = (n: number): OrderId => n.toString(16).padStart(64, '0') as OrderId
const order = (n: number, change: Partial<OrderState> = {}): OrderState => ({
  id: digest(n),
  account: alice.address as AccountId,
  market: 'XLM-USDC' as MarketName,
  side: 'buy',
  type: 'limit',
  ticks: 1_000 as Ticks,
  lots: 5 as Lots,
  clientOrderId: 'mine',
  spend: 0n as Amount,
  terms: plainTerms,
  timeInForce: 'GTC',
  expires: 2_000_000_000 as Seconds,
  status: 'open',
  reason: null,
  filledLots: 0 as Lots,
  filledQuote: 0n as Amount,
  created: n as Milliseconds,
  updated: n as Milliseconds,
  ...change,
})

t.beforeEach(() => {
  stage.vault.packets.length = 0
})

t.test('one order', async (t) => {
  stage.vault.script = (asked) => ({ answer: { ok: order(9, { id: (asked as { id: OrderId }).id }) } })
  t.match(await get(`/api/v1/orders/${digest(9)}`), { status: 200, json: { id: digest(9), price: '0.1', quantity: '5', expires: '2033-05-18T03:33:20.000Z' } })
  t.strictSame(stage.vault.heard, [{ kind: 'order', account: alice.address, id: digest(9) }], 'asked for the account of the token')
})

t.test('an order of somebody else is answered exactly like one that does not exist', async (t) => {
  stage.vault.script = () => ({ answer: { refused: 'order_unknown' } })
  const other = await get(`/api/v1/orders/${digest(1)}`)
  const none = await get(`/api/v1/orders/${digest(2)}`)
  refused(t, other, 'order_unknown')
  const comparable = ({ status, type, json: { requestId: _, ...json } }: typeof other) => ({ status, type, json })
  t.strictSame(comparable(other), comparable(none))
})

t.test('lists of orders', async (t) => {
  stage.vault.script = () => ({ answer: { ok: [order(1), order(2, { lots: 0 as Lots, ticks: 0 as Ticks, spend: 10_000_000n as Amount, type: 'market', status: 'filled', reason: 'filled' })] } })
  const listed = await client.orders({ market: 'XLM-USDC', status: 'all', limit: 7 })
  t.match(listed, [{ id: digest(1), spend: null }, { id: digest(2), price: null, quantity: null, spend: '1' }])
  await get('/api/v1/orders')
  t.strictSame(stage.vault.heard, [
    { kind: 'orders', account: alice.address, market: 'XLM-USDC', open: false, limit: 7 },
    { kind: 'orders', account: alice.address, market: null, open: true, limit: 100 },
  ])
  refused(t, await get('/api/v1/orders?limit=1001'), 'request_malformed')
  refused(t, await get('/api/v1/orders?limit=0'), 'request_malformed')
  refused(t, await get('/api/v1/orders?status=gone'), 'request_malformed')
  refused(t, await get('/api/v1/orders?account=GABC'), 'request_malformed')
  refused(t, await get('/api/v1/orders?market=BTC-USDC'), 'market_unknown')
})

t.test('the caller’s own book: best price first, oldest first within a price', async (t) => {
  const at = (n: number, side: 'buy' | 'sell', ticks: number, created: number) => order(n, { side, ticks: ticks as Ticks, created: created as Milliseconds })
  stage.vault.script = () => ({ answer: { ok: [at(1, 'buy', 10, 5), at(2, 'sell', 30, 1), at(3, 'buy', 12, 9), at(4, 'buy', 12, 2), at(5, 'sell', 20, 7), at(6, 'sell', 20, 6), at(9, 'sell', 20, 6), order(7, { status: 'pending' })] } })
  const book = await client.orderbook('XLM-USDC')
  t.strictSame(book.bids.map(({ id }) => id), [4, 3, 1].map(digest))
  t.strictSame(book.asks.map(({ id }) => id), [9, 6, 5, 2].map(digest), 'of one millisecond, what the vault lists last is the oldest')
  t.match(book, { market: 'XLM-USDC', complete: true })
  t.match(stage.vault.heard, [{ kind: 'orders', account: alice.address, market: 'XLM-USDC', open: true }])
  refused(t, await get('/api/v1/orderbook/BTC-USDC'), 'market_unknown')
  refused(t, await get('/api/v1/orderbook/nothing'), 'request_malformed')
})

t.test('balances in decimals; what is owed to trades may be negative', async (t) => {
  const balances: BalanceState[] = [
    { asset: contractOf('XLM') as ContractId, settled: 100_000_000n as Amount, pending: -25_000_000n as Amount, reserved: 10_000_000n as Amount, available: 65_000_000n as Amount },
  ]
  stage.vault.script = () => ({ answer: { ok: balances } })
  t.strictSame(await client.balances(), [{ asset: 'XLM', contract: contractOf('XLM'), settled: '10', pending: '-2.5', reserved: '1', available: '6.5' }])
})

t.test('withdrawals: asked for with a signature, followed with a token', async (t) => {
  const state: WithdrawalState = {
    id: digest(3),
    account: alice.address as AccountId,
    asset: contractOf('USDC') as ContractId,
    amount: 15_000_000n as Amount,
    status: 'requested',
    authorization: null,
    validUntil: null,
    transaction: null,
    ledger: null,
  }
  stage.vault.script = (asked) => ({ answer: { ok: asked.kind === 'withdraw' ? state : { ...state, status: 'cosigned', authorization: 'AAAA', validUntil: 77 } } })
  const request = await client.signWithdrawal('USDC', '1.5')
  const asked = await call(stage.url, 'POST', '/api/v1/withdrawals', request)
  t.strictSame(asked.json, { id: digest(3), asset: 'USDC', amount: '1.5', status: 'requested', authorization: null, validUntil: null, transaction: null, ledger: null })
  t.equal(asked.status, 202)
  t.match(await client.withdrawal(digest(3)), { status: 'cosigned', authorization: 'AAAA', validUntil: 77 })
  t.match(stage.vault.heard, [
    { kind: 'withdraw', account: alice.address, signer: alice.address, asset: contractOf('USDC'), amount: 15_000_000n },
    { kind: 'withdrawal', account: alice.address, id: digest(3) },
  ])
  stage.vault.script = () => ({ answer: { refused: 'withdrawals_exceeded' } })
  refused(t, await call(stage.url, 'POST', '/api/v1/withdrawals', request), 'withdrawals_exceeded')
  stage.vault.script = () => ({ answer: { refused: 'withdrawal_unknown' } })
  refused(t, await get(`/api/v1/withdrawals/${digest(4)}`), 'withdrawal_unknown')
  const withMessage = async (change: Record<string, string>) => call(stage.url, 'POST', '/api/v1/withdrawals', { ...request, message: { ...request.message, ...change } })
  refused(t, await withMessage({ asset: contractOf('BTC') }), 'asset_unknown')
  refused(t, await withMessage({ amount: '0' }), 'message_malformed')
  refused(t, await withMessage({ amount: '0.00000001' }), 'decimal_malformed')
  refused(t, await withMessage({ amount: '2' }), 'signature_invalid')
})

t.test('markets, time, health and stellar.toml are for everybody', async (t) => {
  const markets = await call(stage.url, 'GET', '/api/v1/markets')
  t.match(markets.json, {
    venue: 'local',
    network: 'Darkpool test network',
    vault: contractOf('vault'),
    markets: [
      { name: 'XLM-USDC', base: { code: 'XLM', contract: contractOf('XLM'), decimals: 7 }, tickSize: '0.0001', lotSize: '1', minQuantity: '2', maxQuantity: '1000', maxPrice: '10', maxValue: '900719925474.0991', maxLifetime_s: 86_400, maxOpenOrders: 10_000, selfTrade: 'cancelNewest' },
      { name: 'EURC-USDC', tickSize: '0.00001', lotSize: '0.1', minQuantity: '0.1' },
    ],
  })
  const time = await call(stage.url, 'GET', '/api/v1/time')
  t.equal(new Date(time.json.time as string).getTime(), time.json.unix_ms)
  t.match(await call(stage.url, 'GET', '/health'), { status: 200, json: { status: 'alive' } })
  const toml = await call(stage.url, 'GET', '/.well-known/stellar.toml')
  t.match(toml.json.text, 'NETWORK_PASSPHRASE = "Darkpool test network"')
  t.match(toml.json.text, `SIGNING_KEY = "${stage.gateway.signingKey}"`)
  t.match(toml.json.text, 'WEB_AUTH_ENDPOINT = "https://pool.example/auth"')
  t.equal(toml.headers.get('access-control-allow-origin'), '*')
})

t.test('ready only while every actor says that it runs', async (t) => {
  const none = await call(stage.url, 'GET', '/ready')
  t.match(none, { status: 503, json: { ready: false, missing: [...stage.venue.actors] } })
  await stage.vault.say(stage.venue.actors)
  await stage.gateway.vaults.query({ kind: 'balances', account: alice.address as AccountId }).catch(() => null)
  t.match(await call(stage.url, 'GET', '/ready'), { status: 200, json: { ready: true, missing: [] } })
  await stage.vault.say([stage.venue.actors[2]!], 'failed')
  await stage.gateway.vaults.query({ kind: 'balances', account: alice.address as AccountId }).catch(() => null)
  t.match(await call(stage.url, 'GET', '/ready'), { status: 503, json: { ready: false, missing: [stage.venue.actors[2]] } })
  t.strictSame(stage.gateway.owners.missing(Date.now() + 3_100), [...stage.venue.actors], 'silence is not running')
})
