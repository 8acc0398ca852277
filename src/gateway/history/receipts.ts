import { hash } from 'node:crypto'
import type { ReceiptSalts } from '../../enclave/receiptSalts.ts'
import { Refusal } from '../../protocol/errors.ts'
import { toHex } from '../../protocol/hex.ts'
import type { AccountId, MarketName, Milliseconds, OrderId, Side, TradeId } from '../../protocol/identity.ts'
import { LEAVES_PER_PAGE, unpackEntries, unpackHashes } from '../../protocol/leaves.ts'
import type { LeavesMessage } from '../../protocol/leaves.ts'
import { parseAmount } from '../../protocol/market.ts'
import { merklePath } from '../../protocol/merkleTree.ts'
import { receiptLeaf } from '../../protocol/receipt.ts'
import type { ReceiptAsset, TradeSide } from '../../protocol/receipt.ts'
import type { Receipt } from '../../protocol/receiptShape.ts'
import { settlementActor } from '../../protocol/subjects.ts'
import type { Venue } from '../../protocol/venue.ts'
import { isoTime } from '../../protocol/view.ts'
import type { FeedPage, FeedPages } from '../feeds/feedPages.ts'
import { FeedTrimmed } from '../feeds/feedSearch.ts'
import type { FillMessage, FoundTrade } from './tradeSearch.ts'

/** Makes the receipts of fills: of what the account's feed says of one, and of the leaves that the settlement actor has stored. */
export class Receipts {
  readonly #venue: Venue
  readonly #leaves: FeedPages<LeavesMessage>
  readonly #salts: ReceiptSalts

  constructor(venue: Venue, leaves: FeedPages<LeavesMessage>, salts: ReceiptSalts) {
    this.#venue = venue
    this.#leaves = leaves
    this.#salts = salts
  }

  /** @throws Refusal trade_unknown, trade_not_settled, receipt_absent, history_unavailable, venue_overloaded */
  async of(account: AccountId, { fill, settled }: FoundTrade): Promise<Receipt> {
    if (settled === null) throw new Refusal('trade_not_settled')
    const { trades, receipts } = settled
    if (receipts === undefined) throw new Refusal('receipt_absent')
    const index = receipts.leaves[trades.indexOf(fill.trade)]
    if (index === undefined) throw new Error('a settled trade has no leaf')
    const page = await this.#page(receipts.from + Math.floor(index / LEAVES_PER_PAGE))
    const entries = unpackEntries(page.entries)
    const entry = entries[index - page.first]
    if (page.sequence !== receipts.sequence || entry === undefined) throw new Error('the stored leaves are not those of the batch')
    const side = this.#sideOf(account, fill, receipts.sequence, entry.journal, entry.time)
    const salt = this.#salts.of(side.trade, side.side)
    if (toHex(receiptLeaf(sha256, side, salt)) !== toHex(entry.leaf)) throw new Error('a stored leaf is not that of its trade')
    const path = [...merklePath(sha256, entries.map(({ leaf }) => leaf), index - page.first), ...unpackHashes(page.path)]
    return this.#receiptOf({ fill, settled }, side, { salt, index, size: receipts.size, path })
  }

  async #page(seq: number): Promise<LeavesMessage> {
    let page: FeedPage<LeavesMessage>
    try {
      page = await this.#leaves.after(settlementActor(this.#venue.channel), seq - 1, 1)
    } catch (error) {
      if (error instanceof FeedTrimmed) throw new Refusal('trade_unknown')
      throw error
    }
    const [message] = page.messages
    // The trader's feed may be a moment ahead of what another actor stores.
    if (message === undefined) throw new Refusal('history_unavailable')
    return message
  }

  #sideOf(account: AccountId, fill: FillMessage, sequence: number, journal: Uint8Array, time: Milliseconds): TradeSide {
    const market = this.#venue.markets.get(fill.market as MarketName)
    if (market === undefined) throw new Error('a feed names a market that the venue does not have')
    const { base, quote } = market.rules
    return {
      channel: this.#venue.channel,
      sequence,
      trade: fill.trade as TradeId,
      market: market.name,
      side: fill.side,
      account,
      order: fill.order as OrderId,
      base,
      quote,
      baseAmount: parseAmount(fill.quantity, base),
      quoteAmount: parseAmount(fill.quote, quote),
      fee: parseAmount(fill.fee, fill.side === 'buy' ? base : quote),
      time,
      journal,
    }
  }

  #receiptOf({ fill, settled }: { readonly fill: FillMessage; readonly settled: NonNullable<FoundTrade['settled']> }, side: TradeSide, proof: Pick<Receipt, 'index' | 'size'> & { readonly salt: Uint8Array; readonly path: readonly Uint8Array[] }): Receipt {
    const { network, vault } = this.#venue.file
    return {
      v: 1,
      network: network.passphrase,
      vault: vault.contract,
      channel: side.channel,
      sequence: side.sequence,
      transaction: settled.transaction,
      ledger: settled.ledger,
      trade: fill.trade,
      market: fill.market,
      side: side.side satisfies Side,
      account: side.account,
      order: fill.order,
      price: fill.price,
      quantity: fill.quantity,
      quote: fill.quote,
      fee: fill.fee,
      assets: { base: assetOf(side.base), quote: assetOf(side.quote) },
      time: isoTime(side.time),
      journal: toHex(side.journal),
      salt: toHex(proof.salt),
      index: proof.index,
      size: proof.size,
      path: proof.path.map(toHex),
    }
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')
const assetOf = ({ contract, decimals }: ReceiptAsset): ReceiptAsset => ({ contract, decimals })
