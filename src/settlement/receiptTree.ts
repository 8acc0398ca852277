import { hash } from 'node:crypto'
import type { ReceiptSalts } from '../enclave/receiptSalts.ts'
import type { AccountId, MarketName, Side, TradeId } from '../protocol/identity.ts'
import { LEAVES_PER_PAGE } from '../protocol/leaves.ts'
import type { LeafEntry } from '../protocol/leaves.ts'
import { merklePaths, merkleRoot } from '../protocol/merkleTree.ts'
import type { Trade } from '../protocol/pair.ts'
import { receiptLeaf } from '../protocol/receipt.ts'
import type { MarketAssets } from './netting.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')

/** Of which batch, and what of the venue its leaves are made with. */
export interface LeafContext {
  readonly channel: number
  readonly sequence: number
  readonly salts: ReceiptSalts
  readonly assetsOf: (market: MarketName) => MarketAssets
}

/** The leaf of one side of a trade. */
export function leafOf(trade: Trade, side: Side, { channel, sequence, salts, assetsOf }: LeafContext): Uint8Array {
  const { id, market, time, journal } = trade
  const { base, quote } = assetsOf(market)
  const [account, order, fee] = side === 'buy' ? [trade.buyer, trade.buyOrder, trade.buyerFee] : [trade.seller, trade.sellOrder, trade.sellerFee]
  return receiptLeaf(sha256, { channel, sequence, trade: id, market, side, account, order, base, quote, baseAmount: trade.base, quoteAmount: trade.quote, fee, time, journal }, salts.of(id, side))
}

/** Leaves that stand next to each other, and how they are under the root of all. */
export interface LeafPage {
  /** Place of the first of them. */
  readonly first: number
  readonly entries: readonly LeafEntry[]
  /** From the root of these leaves on. */
  readonly path: readonly Uint8Array[]
}

/**
 * The tree of one batch: a leaf for each side of each trade. Leaves stand in the order of their hashes, which is as good as random since each is salted: where one
 * stands tells nothing of when its trade came, whose the others are, or which of them is the other side's.
 */
export class ReceiptTree {
  readonly root: Uint8Array
  readonly #entries: readonly LeafEntry[]
  /** Of each page's leaves. */
  readonly #pageRoots: readonly Uint8Array[]
  /** Where the leaves of a trade stand. */
  readonly #places: ReadonlyMap<TradeId, { readonly buyer: AccountId; readonly buy: number; readonly sell: number }>

  constructor(trades: readonly Trade[], context: LeafContext) {
    const leaves = trades.flatMap((trade) => [leafOf(trade, 'buy', context), leafOf(trade, 'sell', context)])
    const order = leaves.map((_leaf, at) => at).sort((a, b) => Buffer.compare(leaves[a]!, leaves[b]!))
    const places = new Array<number>(leaves.length)
    for (const [place, at] of order.entries()) places[at] = place
    this.#entries = order.map((at) => ({ leaf: leaves[at]!, journal: trades[at >> 1]!.journal, time: trades[at >> 1]!.time }))
    this.#places = new Map(trades.map(({ id, buyer }, n) => [id, { buyer, buy: places[2 * n]!, sell: places[2 * n + 1]! }]))
    this.#pageRoots = this.#parts().map((entries) => merkleRoot(sha256, entries.map(({ leaf }) => leaf)))
    // A page is a whole branch, so the root over theirs is the root. Not as the buffer that it is: what is read from a snapshot is none, and would be written in other bytes.
    this.root = new Uint8Array(merkleRoot(sha256, this.#pageRoots))
  }

  get size(): number {
    return this.#entries.length
  }

  /** Where the leaf of an account's side of a trade stands: the account is one of the two. */
  placeOf(trade: TradeId, account: AccountId): number {
    const places = this.#places.get(trade)
    if (places === undefined) throw new Error('that trade is not in the batch')
    return account === places.buyer ? places.buy : places.sell
  }

  /** All leaves. A page is a whole branch of the tree, so that one page is all that the receipts of its leaves need. */
  pages(): LeafPage[] {
    const paths = merklePaths(sha256, this.#pageRoots)
    return this.#parts().map((entries, n) => ({ first: n * LEAVES_PER_PAGE, entries, path: paths[n]! }))
  }

  #parts(): LeafEntry[][] {
    const parts: LeafEntry[][] = []
    for (let first = 0; first < this.size; first += LEAVES_PER_PAGE) parts.push(this.#entries.slice(first, first + LEAVES_PER_PAGE))
    return parts
  }
}
