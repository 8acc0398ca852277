import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { Refused } from '../../src/client/errors.ts'
import { fetchTransport } from '../../src/client/transport.ts'
import type { FeedEvent } from '../../src/protocol/feed.ts'
import { openStage, trader } from '../gateway/stage.ts'

// Lists of what has happened, read page by page out of a feed in a real stream.

const stage = await openStage()
t.teardown(() => stage.close())
await stage.feeds.open()
const client = await Client.open(stage.url, trader('alice'))
const market = 'XLM-USDC'
const order = (n: number): string => n.toString(16).padStart(64, '0')
const fill = (n: number): FeedEvent => ({ type: 'fill', trade: `${market}:${n}`, order: order(n % 3), market, side: 'buy', role: 'maker', price: '0.1', quantity: '5', quote: '0.5', fee: '0', feeAsset: 'XLM' })
const COUNT = 25

for (let n = 1; n <= COUNT; n++) await stage.feeds.store(client.binding.account, fill(n), { type: 'settled', trades: [`${market}:${n}`], transaction: `t${n}`, ledger: n, receipts: { sequence: n, size: 2, from: n, leaves: [0] } })
await stage.feeds.store(client.binding.account, fill(COUNT + 1), { type: 'deposit', asset: 'XLM', amount: '7', transaction: 'd', ledger: 9 })

t.test('a list is whole and newest first, whatever its pages hold', async (t) => {
  for (const page of [1, 4, 100]) {
    const trades: string[] = []
    for await (const { trade } of client.history.fills({ page })) trades.push(trade)
    t.strictSame(trades, Array.from({ length: COUNT + 1 }, (_, n) => `${market}:${COUNT + 1 - n}`), `pages of ${page}`)
  }
  const ofOne: string[] = []
  for await (const one of client.history.fills({ page: 2, market, order: order(1) })) ofOne.push(one.order)
  t.strictSame(ofOne, Array.from({ length: 9 }, () => order(1)))
  const settled: number[] = []
  for await (const { ledger } of client.history.settlements({ page: 7 })) settled.push(ledger)
  t.strictSame(settled, Array.from({ length: COUNT }, (_, n) => COUNT - n))
  for await (const deposit of client.history.deposits()) t.match(deposit, { asset: 'XLM', amount: '7', ledger: 9 })
})

t.test('who breaks off asks for no more', async (t) => {
  const asked: string[] = []
  const narrow = await Client.open(stage.url, trader('alice'), {
    transport: { carry: (outgoing) => (asked.push(outgoing.url.pathname), fetchTransport.carry(outgoing)) },
  })
  for await (const { trade } of narrow.history.fills({ page: 5 })) if (trade === `${market}:${COUNT - 6}`) break
  t.equal(asked.filter((path) => path === '/api/v1/fills').length, 2)
})

t.test('a trade is found with what settled it; another one is refused', async (t) => {
  t.match(await client.history.trade(`${market}:3`), { trade: `${market}:3`, status: 'settled', transaction: 't3', ledger: 3 })
  t.match(await client.history.trade(`${market}:${COUNT + 1}`), { status: 'pending', transaction: null })
  const refused: unknown = await client.history.trade(`${market}:99`).catch((error: unknown) => error)
  t.ok(refused instanceof Refused && refused.code === 'trade_unknown')
})
