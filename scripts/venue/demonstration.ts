import { formatDecimal, parseDecimal } from '../../src/protocol/decimal.ts'
import type { OrderView } from '../../src/protocol/feed.ts'
import type { Progress } from '../setup/steps.ts'
import type { FeedReader } from './feedReader.ts'
import type { LocalTrader } from './trader.ts'

export const MARKET = 'XLM-USDC'
const PRICE = '0.1'
const QUANTITY = '100'
const SETTLED_TIMEOUT_ms = 120_000

/** A trader and its private feed. */
export interface Side {
  readonly trader: LocalTrader
  readonly feed: FeedReader
}

export interface Demonstrated {
  readonly buyer: LocalTrader
  readonly seller: LocalTrader
  readonly trade: string
  readonly transaction: string
  readonly ledger: number
}

/** One signed sell against one signed buy, followed until both traders were told that it is settled on chain. */
export async function demonstrate(one: Side, other: Side, progress: Progress): Promise<Demonstrated> {
  // Whoever has more to spend buys, so that it can be done again and again.
  const [mine, yours] = await Promise.all([one, other].map(async ({ trader }) => parseDecimal((await trader.balance('USDC')).available, 7) ?? 0n))
  const [buyer, seller] = (mine ?? 0n) >= (yours ?? 0n) ? [one, other] : [other, one]
  const sell = await progress.run(
    'signed sell',
    () => place(seller.trader, 'sell'),
    (order) => `${seller.trader.name}: ${QUANTITY} XLM at ${PRICE} USDC, ${order.status}`,
  )
  await progress.run(
    'signed buy',
    () => place(buyer.trader, 'buy'),
    (order) => `${buyer.trader.name}: ${QUANTITY} XLM at ${PRICE} USDC, ${order.status}`,
  )
  const fill = await progress.run(
    'trade',
    () => seller.feed.next('fill', (message) => message.order === sell.id, SETTLED_TIMEOUT_ms),
    (message) => `${message.trade}: ${message.quantity} XLM for ${message.quote} USDC`,
  )
  const settled = await progress.run(
    'settled on chain',
    async () => {
      const [first] = await Promise.all([seller, buyer].map(({ feed }) => feed.next('settled', (message) => message.trades.includes(fill.trade), SETTLED_TIMEOUT_ms)))
      if (!first) throw new Error('nobody was told')
      return first
    },
    (message) => `ledger ${message.ledger}, transaction ${message.transaction}`,
  )
  return { buyer: buyer.trader, seller: seller.trader, trade: fill.trade, transaction: settled.transaction, ledger: settled.ledger }
}

function place(trader: LocalTrader, side: 'buy' | 'sell'): Promise<OrderView> {
  return trader.client().then((client) => client.placeOrder(MARKET, { side, type: 'limit', price: PRICE, quantity: QUANTITY, timeInForce: 'GTC' }))
}

export type BalanceSheet = ReadonlyMap<string, ReadonlyMap<string, bigint>>

/** What the vault contract holds for each trader, once their earlier trades are settled. */
export async function readBalances(traders: readonly LocalTrader[], codes: readonly string[]): Promise<BalanceSheet> {
  for (const trader of traders) await trader.settled()
  const sheet = new Map<string, Map<string, bigint>>()
  for (const trader of traders) {
    const row = new Map<string, bigint>()
    for (const code of codes) row.set(code, await trader.onChain(code))
    sheet.set(trader.name, row)
  }
  return sheet
}

/** A table of balances before and after, for people. */
export function balanceTable(before: BalanceSheet, after: BalanceSheet, decimals: number): string {
  const rows: string[][] = [['', 'asset', 'before', 'after', 'change']]
  for (const [trader, assets] of before) {
    for (const [code, amount] of assets) {
      const then = after.get(trader)?.get(code) ?? 0n
      const change = then - amount
      rows.push([trader, code, formatDecimal(amount, decimals), formatDecimal(then, decimals), `${change > 0n ? '+' : ''}${formatDecimal(change, decimals)}`])
    }
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => `  ${row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ')}`.trimEnd()).join('\n')
}
