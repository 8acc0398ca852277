import { hash } from 'node:crypto'
import fc from 'fast-check'
import type { SettledBatch } from '../../src/client/receipt.ts'
import { formatDecimal } from '../../src/protocol/decimal.ts'
import type { Side } from '../../src/protocol/identity.ts'
import { merklePath } from '../../src/protocol/merkleTree.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import { toHex } from '../../src/protocol/hex.ts'
import type { Receipt } from '../../src/protocol/receiptShape.ts'
import { leafOf } from '../../src/settlement/receiptTree.ts'
import type { LeafContext } from '../../src/settlement/receiptTree.ts'
import { assetsOf, markets, salts, trade } from './trades.ts'

export const sha = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(hash('sha256', Buffer.concat(parts), 'buffer'))
export const context: LeafContext = { channel: 0, sequence: 12, salts, assetsOf }

/** Trades as markets make them: whole lots at a price that is a decimal. One unit of base is 10^7 of its smallest. */
export const marketTrades = (options: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<Trade[]> =>
  fc
    .array(fc.record({ market: fc.constantFrom(...markets.keys()), sides: fc.tuple(fc.nat(9), fc.nat(9)).filter(([a, b]) => a !== b), lots: fc.integer({ min: 1, max: 2_147_483_647 }), ticks: fc.integer({ min: 1, max: 1_000_000 }) }), { minLength: 1, maxLength: 20, ...options })
    .map((list) => list.map(({ market, sides: [buyer, seller], lots, ticks }, n) => marketTrade(n + 1, { market, buyer, seller, lots, ticks })))

export const marketTrade = (n: number, { market, buyer, seller, lots, ticks }: { market?: string; buyer: number; seller: number; lots: number; ticks: number }): Trade =>
  trade(n, { ...(market === undefined ? {} : { market }), buyer, seller, base: BigInt(lots) * 1_000_000n, quote: BigInt(lots) * BigInt(ticks) * 10n, buyerFee: BigInt(n), sellerFee: BigInt(2 * n) })

/** The leaves of a batch in their order, the slow and obvious way. */
export const sortedLeaves = (trades: readonly Trade[], made = context): Uint8Array[] =>
  trades.flatMap((one) => [leafOf(one, 'buy', made), leafOf(one, 'sell', made)]).sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))

/** What the chain would say of a batch of these trades. */
export const batchOf = (trades: readonly Trade[], root: Uint8Array): SettledBatch => ({
  network: 'Test network', vault: `C${'A'.repeat(55)}`, channel: 0, sequence: 12, trades: trades.length, root: toHex(root), transaction: 'cd'.repeat(32), ledger: 77,
})

/** The receipt of a side, put together by hand. */
export function receiptOf(trades: readonly Trade[], one: Trade, side: Side, made = context): Receipt {
  const leaves = sortedLeaves(trades, made)
  const index = leaves.findIndex((leaf) => toHex(leaf) === toHex(leafOf(one, side, made)))
  const { base, quote } = made.assetsOf(one.market)
  const { network, vault, transaction, ledger } = batchOf(trades, new Uint8Array(32))
  return {
    v: 1, network, vault, channel: made.channel, sequence: made.sequence, transaction, ledger,
    trade: one.id, market: one.market, side, account: side === 'buy' ? one.buyer : one.seller, order: side === 'buy' ? one.buyOrder : one.sellOrder,
    price: formatDecimal((one.quote * 10n ** 30n) / one.base, 30 + quote.decimals - base.decimals),
    quantity: formatDecimal(one.base, base.decimals), quote: formatDecimal(one.quote, quote.decimals), fee: side === 'buy' ? formatDecimal(one.buyerFee, base.decimals) : formatDecimal(one.sellerFee, quote.decimals),
    assets: { base: { contract: base.contract, decimals: base.decimals }, quote: { contract: quote.contract, decimals: quote.decimals } },
    time: new Date(one.time).toISOString(), journal: toHex(one.journal), salt: toHex(made.salts.of(one.id, side)),
    index, size: leaves.length, path: merklePath(sha, leaves, index).map(toHex),
  }
}
