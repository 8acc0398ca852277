import type { AccountId, Amount, MarketName, TradeId } from '../protocol/identity.ts'
import type { Asset } from '../protocol/market.ts'
import type { Trade } from '../protocol/pair.ts'

/** One asset's movement of one account: what came in and what went out, both ≥ 0. */
export interface Move {
  readonly asset: Asset
  readonly in: Amount
  readonly out: Amount
}

/** One account's part of a set of trades. */
export interface NettedAccount {
  readonly account: AccountId
  /** Each trade once, in order, also where the account was on both sides. */
  readonly trades: readonly TradeId[]
  /** By rising asset index. */
  readonly moves: readonly Move[]
}

/** The two assets of a market: all that netting must know of it. */
export interface MarketAssets {
  readonly base: Asset
  readonly quote: Asset
}

interface Sum {
  readonly asset: Asset
  in: bigint
  out: bigint
}

/**
 * What each account gains and loses by the trades together, gross per asset. Gross, because a vault actor holds every trade as pending
 * and must take the same amounts out of it; net (`in − out`) is what the chain is told. Accounts come in the order they first traded.
 */
export function net(trades: readonly Trade[], assetsOf: (market: MarketName) => MarketAssets): NettedAccount[] {
  const accounts = new Map<AccountId, { trades: TradeId[]; sums: Map<number, Sum> }>()
  const touched = (account: AccountId, trade: TradeId) => {
    let entry = accounts.get(account)
    if (!entry) accounts.set(account, (entry = { trades: [], sums: new Map() }))
    if (entry.trades.at(-1) !== trade) entry.trades.push(trade)
    return entry.sums
  }
  for (const trade of trades) {
    if (trade.base <= 0n || trade.quote <= 0n) throw new Error(`trade ${trade.id}: amounts must be above zero`)
    const { base, quote } = assetsOf(trade.market)
    const buyer = touched(trade.buyer, trade.id)
    const seller = touched(trade.seller, trade.id)
    sumOf(buyer, base).in += trade.base
    sumOf(buyer, quote).out += trade.quote
    sumOf(seller, base).out += trade.base
    sumOf(seller, quote).in += trade.quote
  }
  return Array.from(accounts, ([account, { trades, sums }]) => ({ account, trades, moves: movesOf(sums) }))
}

function sumOf(sums: Map<number, Sum>, asset: Asset): Sum {
  let sum = sums.get(asset.index)
  if (!sum) sums.set(asset.index, (sum = { asset, in: 0n, out: 0n }))
  return sum
}

const movesOf = (sums: Map<number, Sum>): Move[] =>
  Array.from(sums.values(), (sum) => ({ asset: sum.asset, in: sum.in as Amount, out: sum.out as Amount })).sort((a, b) => a.asset.index - b.asset.index)
