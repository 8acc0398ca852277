import t from 'tap'
import { limits } from '../../src/protocol/limits.ts'
import { Client } from '../../src/client/client.ts'
import type { FeedEvent, OrderView } from '../../src/protocol/feed.ts'
import { call, refused } from './call.ts'
import { openStage, trader } from './stage.ts'

// What has happened to an account, in lists with cursors and by trade, out of feeds in a real stream.

const stage = await openStage()
t.teardown(() => stage.close())
await stage.feeds.open()
const reader = async (name: string) => {
  const signer = trader(name)
  const token = await (await Client.open(stage.url, signer)).login()
  return { account: signer.address, get: (path: string, url = stage.url) => call(url, 'GET', path, undefined, { authorization: `Bearer ${token}` }) }
}
const id = (n: number): string => n.toString(16).padStart(64, '0')
const fill = (market: string, n: number, order = 1): FeedEvent => ({ type: 'fill', trade: `${market}:${n}`, order: id(order), market, side: 'buy', role: 'maker', price: '0.1', quantity: '5', quote: '0.5', fee: '0', feeAsset: 'XLM' })
const settled = (ledger: number, ...trades: string[]): FeedEvent => ({ type: 'settled', trades, transaction: `t${ledger}`, ledger, receipts: { sequence: ledger, size: 2 * trades.length, from: 1, leaves: trades.map((_trade, n) => 2 * n) } })
const closed = (n: number, status: OrderView['status'], market = 'XLM-USDC'): FeedEvent => ({
  type: 'order',
  order: {
    id: id(n), clientOrderId: 'mine', market, side: 'buy', type: 'limit', timeInForce: 'GTC', price: '0.1', quantity: '5', spend: null, filledQuantity: '0', filledQuote: '0', postOnly: false, allOrNone: false,
    minimum: null, minimumPer: null, remainder: 'keep', selfTrade: 'cancelNewest', status, reason: status === 'open' ? null : 'cancelled', expires: '', created: '', updated: '',
  },
})
interface Paged {
  readonly next: string | null
}

/** Follows a list's cursors to its end. */
async function walk<Item>(get: (path: string) => Promise<{ status: number; json: object }>, name: string, query: string): Promise<Item[]> {
  const items: Item[] = []
  for (let next: string | null = ''; next !== null; ) {
    const { status, json } = await get(`/api/v1/${name}?${query}${next === '' ? '' : `&cursor=${next}`}`)
    if (status !== 200) throw new Error(`${name}: ${status}`)
    items.push(...((json as Record<string, Item[]>)[name] as Item[]))
    next = (json as Paged).next
  }
  return items
}

t.test('fills that were stored before there were fees are shown as free', async (t) => {
  const { account, get } = await reader('veteran')
  for (const [n, side] of (['buy', 'sell'] as const).entries()) {
    const { fee: _fee, feeAsset: _feeAsset, ...old } = { ...fill('XLM-USDC', 1_000 + n), side } as Extract<FeedEvent, { type: 'fill' }>
    await stage.feeds.store(account, old as FeedEvent)
  }
  await stage.feeds.store(account, fill('XLM-USDC', 1_002))
  const { status, json } = await get('/api/v1/fills')
  t.equal(status, 200)
  t.match(json.fills, [{ trade: 'XLM-USDC:1002', fee: '0', feeAsset: 'XLM' }, { trade: 'XLM-USDC:1001', side: 'sell', fee: '0', feeAsset: 'USDC' }, { trade: 'XLM-USDC:1000', side: 'buy', fee: '0', feeAsset: 'XLM' }])
  t.match(await get('/api/v1/trades/XLM-USDC:1001'), { status: 200, json: { fee: '0', feeAsset: 'USDC', status: 'pending' } })
})

t.test('lists are newest first, filtered, and whole over their cursors, whatever happens meanwhile', async (t) => {
  const { account, get } = await reader('alice')
  for (let n = 1; n <= 30; n++) {
    await stage.feeds.store(account, closed(n, 'open', n % 2 === 0 ? 'XLM-USDC' : 'EURC-USDC'), fill('XLM-USDC', 2 * n, n), fill('EURC-USDC', n, n), closed(n, n % 3 === 0 ? 'filled' : 'cancelled', n % 2 === 0 ? 'XLM-USDC' : 'EURC-USDC'))
    await stage.feeds.store(account, settled(n, `XLM-USDC:${2 * n}`, `EURC-USDC:${n}`))
  }
  await stage.feeds.store(account, { type: 'deposit', asset: 'XLM', amount: '7', transaction: 'd', ledger: 9 })
  const step = { id: id(77), asset: 'XLM', amount: '1.5', authorization: null, validUntil: null, transaction: null, ledger: null }
  await stage.feeds.store(account, { type: 'withdrawal', withdrawal: { ...step, status: 'requested' } }, { type: 'withdrawal', withdrawal: { ...step, status: 'refused' } })
  const numbers = (market: string, times: number): string[] => Array.from({ length: 30 }, (_, n) => `${market}:${(30 - n) * times}`)
  const trades = async (query: string) => (await walk<{ trade: string }>(get, 'fills', query)).map(({ trade }) => trade)

  t.strictSame(await trades('limit=7&market=EURC-USDC'), numbers('EURC-USDC', 1))
  t.strictSame(await trades('market=XLM-USDC'), numbers('XLM-USDC', 2))
  t.strictSame(await trades(`order=${id(4)}`), ['EURC-USDC:4', 'XLM-USDC:8'])
  t.equal((await trades('limit=11')).length, 60)
  t.strictSame((await walk<OrderView>(get, 'orders', 'status=closed&limit=4&market=XLM-USDC')).map((order) => order.id), Array.from({ length: 15 }, (_, n) => id(30 - 2 * n)))
  t.strictSame((await walk<{ ledger: number }>(get, 'settlements', 'limit=13')).map(({ ledger }) => ledger), Array.from({ length: 30 }, (_, n) => 30 - n))
  t.match(await walk(get, 'deposits', 'limit=1'), [{ seq: 151, asset: 'XLM', amount: '7', transaction: 'd', ledger: 9 }])
  t.match(await walk(get, 'withdrawals', 'limit=1'), [{ status: 'refused', amount: '1.5' }, { status: 'requested' }])

  const first = await get('/api/v1/fills?limit=10&market=EURC-USDC')
  await stage.feeds.store(account, fill('EURC-USDC', 31), fill('EURC-USDC', 32))
  const second = await get(`/api/v1/fills?limit=10&market=EURC-USDC&cursor=${String(first.json.next)}`)
  t.strictSame([first, second].flatMap(({ json }) => (json.fills as { trade: string }[]).map(({ trade }) => trade)), numbers('EURC-USDC', 1).slice(0, 20), 'a cursor stands where it stood')
})

t.test('a page that looks at as much as it may goes on where it stopped', async (t) => {
  const { account, get } = await reader('bob')
  const idle = Array.from({ length: limits.historyScan + 100 }, (_, n) => closed(n, 'open'))
  await stage.feeds.store(account, fill('XLM-USDC', 1), ...idle)
  const { json } = await get('/api/v1/fills')
  t.strictSame(json, { fills: [], next: '102' })
  t.match((await get('/api/v1/fills?cursor=102')).json, { fills: [{ trade: 'XLM-USDC:1', seq: 1 }], next: null })
})

t.test('a trade is found by its number, with what settled it; another’s is like one that never was', async (t) => {
  const { account, get } = await reader('carol')
  const { get: other } = await reader('dave')
  // Trades of two markets, many messages that are neither, and settlements that come late and several at once.
  const events: FeedEvent[] = []
  const waiting: string[] = []
  for (let n = 1; n <= 1_200; n++) {
    const market = n % 7 === 0 ? 'EURC-USDC' : 'XLM-USDC'
    events.push(fill(market, n * 3), closed(n, 'cancelled'))
    waiting.push(`${market}:${n * 3}`)
    if (n % 40 === 0) events.push(settled(n, ...waiting.splice(0, 30)))
  }
  await stage.feeds.store(account, ...events)
  for (const n of [1, 2, 6, 7, 599, 600, 861]) {
    const market = n % 7 === 0 ? 'EURC-USDC' : 'XLM-USDC'
    const ledger = Math.ceil(n / 30) * 40
    t.match(await get(`/api/v1/trades/${market}:${n * 3}`), { status: 200, json: { trade: `${market}:${n * 3}`, price: '0.1', status: 'settled', transaction: `t${ledger}`, ledger } })
    refused(t, await get(`/api/v1/trades/${market}:${n * 3 + 1}`), 'trade_unknown')
    refused(t, await other(`/api/v1/trades/${market}:${n * 3}`), 'trade_unknown')
  }
  t.match(await get('/api/v1/trades/XLM-USDC:3600'), { status: 200, json: { status: 'pending', transaction: null, ledger: null } })
  refused(t, await get('/api/v1/trades/AAA-BBB:3'), 'trade_unknown')
  for (const nonsense of ['XLM-USDC', 'XLM-USDC:0', 'XLM-USDC:03', 'XLM-USDC:1e3', 'XLM-USDC:-1']) refused(t, await get(`/api/v1/trades/${nonsense}`), 'request_malformed')
})

t.test('cursors are what a page gave', async (t) => {
  const { get } = await reader('erin')
  for (const query of ['cursor=0', 'cursor=x', 'cursor=-1', 'cursor=9007199254740993', 'cursor=1&cursor=2', 'limit=0', 'limit=1001', 'order=1', 'page=1']) refused(t, await get(`/api/v1/fills?${query}`), 'request_malformed', query)
  for (const query of ['status=closed&cursor=ab', 'status=open&cursor=12', `status=closed&cursor=${id(1)}`, 'status=new']) refused(t, await get(`/api/v1/orders?${query}`), 'request_malformed', query)
  t.strictSame((await get('/api/v1/fills?cursor=12')).json, { fills: [], next: null })
})

t.test('open orders page by the order that stood last', async (t) => {
  const { get } = await reader('erin')
  stage.vault.script = () => ({ answer: { ok: [] } })
  t.strictSame((await get(`/api/v1/orders?limit=5&cursor=${id(9)}`)).json, { orders: [], next: null })
  t.match(stage.vault.heard.at(-1), { kind: 'orders', open: true, limit: 5, before: id(9) })
})

t.test('whoever reads much history waits, and no one else does', async (t) => {
  const small = await openStage({}, (file) => ({ ...file, gateway: { ...file.gateway, rates: { ...file.gateway.rates, history: { quota: 5, window_s: 86_400 } } } }))
  t.teardown(() => small.close())
  await small.feeds.open()
  const { get } = await reader('alice')
  const { get: other } = await reader('bob')
  t.equal((await get('/api/v1/fills', small.url)).headers.get('ratelimit-policy'), '"history";q=5;w=86400')
  refused(t, await get('/api/v1/trades/XLM-USDC:1', small.url), 'trade_unknown')
  refused(t, await get('/api/v1/deposits', small.url), 'rate_exceeded')
  t.equal((await other('/api/v1/fills', small.url)).status, 200)
  small.vault.script = () => ({ answer: { ok: [] } })
  t.equal((await get('/api/v1/balances', small.url)).status, 200, 'what is read from the account’s keeper is another matter')
})
