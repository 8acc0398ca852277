import { hash } from 'node:crypto'
import fc from 'fast-check'
import { ReceiptSalts } from '../../src/enclave/receiptSalts.ts'
import type { AccountId, Amount, ContractId, Lots, MarketName, Milliseconds, OrderId, Ticks, TradeId } from '../../src/protocol/identity.ts'
import type { Asset } from '../../src/protocol/market.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import type { MarketAssets } from '../../src/settlement/netting.ts'

/** Six assets, so that batches span two groups of four. */
export const assets: readonly Asset[] = Array.from({ length: 6 }, (_, index) => ({
  code: `A${index}`,
  contract: `C${String.fromCharCode(65 + index).repeat(55)}` as ContractId,
  index,
  decimals: 7,
}))
const asset = (index: number): Asset => assets[index] as Asset

export const markets: ReadonlyMap<MarketName, MarketAssets> = new Map(
  [
    [0, 1],
    [2, 1],
    [4, 1],
    [5, 3],
    [0, 5],
  ].map(([base, quote]) => [`A${base}-A${quote}` as MarketName, { base: asset(base as number), quote: asset(quote as number) }]),
)

export function assetsOf(name: MarketName): MarketAssets {
  const market = markets.get(name)
  if (!market) throw new Error(`no market ${name}`)
  return market
}

/** Of the receipts of tests. */
export const salts = new ReceiptSalts('test', new Uint8Array(32).fill(9))

export const accountOf = (n: number): AccountId => `G${n.toString(2).padStart(55, '0').replaceAll('0', 'A').replaceAll('1', 'B')}` as AccountId
const orderOf = (text: string): OrderId => hash('sha256', text) as OrderId

/** The nth trade of a market, with orders that follow from its number. */
export function trade(n: number, fields: { market?: string; buyer: number; seller: number; base: bigint; quote: bigint; buyerFee?: bigint; sellerFee?: bigint; time?: number }): Trade {
  const market = (fields.market ?? 'A0-A1') as MarketName
  return {
    kind: 'trade',
    id: `${market}:${n}` as TradeId,
    market,
    buyer: accountOf(fields.buyer),
    seller: accountOf(fields.seller),
    buyOrder: orderOf(`buy ${market} ${n}`),
    sellOrder: orderOf(`sell ${market} ${n}`),
    ticks: 1 as Ticks,
    lots: 1 as Lots,
    base: fields.base as Amount,
    quote: fields.quote as Amount,
    buyerFee: (fields.buyerFee ?? 0n) as Amount,
    sellerFee: (fields.sellerFee ?? 0n) as Amount,
    time: (fields.time ?? 1_700_000_000_000 + n) as Milliseconds,
    journal: hash('sha256', `journal ${market} ${n}`, 'buffer'),
  }
}

/** Mostly nothing; all of it now and then. */
const percent = fc.oneof({ weight: 4, arbitrary: fc.constant(0n) }, { weight: 2, arbitrary: fc.bigInt(1n, 3n) }, { weight: 1, arbitrary: fc.constant(100n) })

/** Any trades among a few accounts and all markets, with amounts from one unit to beyond 64 bits, a side of one account's own included. */
export const anyTrades = (options: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<Trade[]> =>
  fc
    .array(
      fc.record({
        market: fc.constantFrom(...markets.keys()),
        buyer: fc.nat(9),
        seller: fc.nat(9),
        base: fc.oneof(fc.bigInt(1n, 1_000n), fc.bigInt(1n, 1n << 80n)),
        quote: fc.oneof(fc.bigInt(1n, 1_000n), fc.bigInt(1n, 1n << 80n)),
        fees_percent: fc.tuple(percent, percent),
      }),
      { minLength: 1, maxLength: 40, ...options },
    )
    .map((list) => list.map(({ fees_percent: [buyer, seller], ...fields }, i) => trade(i + 1, { ...fields, buyerFee: (fields.base * buyer) / 100n, sellerFee: (fields.quote * seller) / 100n })))
