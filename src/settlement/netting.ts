import type { AccountId, Amount, MarketName, TradeId } from '../protocol/identity.ts'
import type { Asset } from '../protocol/market.ts'
import type { Trade } from '../protocol/pair.ts'

/** One asset's movement of one account: what came in, less the fees on it, and what went out, both ≥ 0. */
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

/** What the venue keeps of an asset, and what it is taken from. */
export interface Fee {
  readonly asset: Asset
  /** Above zero. */
  readonly amount: Amount
  /** The sum of the asset over all trades, each once: at least the amount. */
  readonly turnover: Amount
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
    assertAmounts(trade)
    const { base, quote } = assetsOf(trade.market)
    const buyer = touched(trade.buyer, trade.id)
    const seller = touched(trade.seller, trade.id)
    sumOf(buyer, base).in += trade.base - trade.buyerFee
    sumOf(buyer, quote).out += trade.quote
    sumOf(seller, base).out += trade.base
    sumOf(seller, quote).in += trade.quote - trade.sellerFee
  }
  return Array.from(accounts, ([account, { trades, sums }]) => ({ account, trades, moves: movesOf(sums) }))
}

/** The fees of the trades together, per asset in which there are some, by rising index: what accounts gain and these sum to zero. */
export function feesOf(trades: readonly Trade[], assetsOf: (market: MarketName) => MarketAssets): Fee[] {
  const sums = new Map<number, { readonly asset: Asset; amount: bigint; turnover: bigint }>()
  const add = (asset: Asset, turnover: bigint, amount: bigint): void => {
    const sum = sums.get(asset.index) ?? { asset, amount: 0n, turnover: 0n }
    sum.amount += amount
    sum.turnover += turnover
    sums.set(asset.index, sum)
  }
  for (const trade of trades) {
    const { base, quote } = assetsOf(trade.market)
    add(base, trade.base, trade.buyerFee)
    add(quote, trade.quote, trade.sellerFee)
  }
  return Array.from(sums.values(), ({ asset, amount, turnover }) => ({ asset, amount: amount as Amount, turnover: turnover as Amount }))
    .filter(({ amount }) => amount > 0n)
    .sort((a, b) => a.asset.index - b.asset.index)
}

function assertAmounts({ id, base, quote, buyerFee, sellerFee }: Trade): void {
  if (base <= 0n || quote <= 0n) throw new Error(`trade ${id}: amounts must be above zero`)
  if (buyerFee < 0n || buyerFee > base || sellerFee < 0n || sellerFee > quote) throw new Error(`trade ${id}: a fee is taken from what the side receives`)
}

function sumOf(sums: Map<number, Sum>, asset: Asset): Sum {
  let sum = sums.get(asset.index)
  if (!sum) sums.set(asset.index, (sum = { asset, in: 0n, out: 0n }))
  return sum
}

const movesOf = (sums: Map<number, Sum>): Move[] =>
  Array.from(sums.values(), (sum) => ({ asset: sum.asset, in: sum.in as Amount, out: sum.out as Amount })).sort((a, b) => a.asset.index - b.asset.index)
