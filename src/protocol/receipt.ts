import { parseDecimal } from './decimal.ts'
import { fromHex } from './hex.ts'
import type { AccountId, Amount, ContractId, MarketName, Milliseconds, OrderId, Side, TradeId } from './identity.ts'
import { LEAF } from './merkleTree.ts'
import type { Sha256 } from './merkleTree.ts'
import type { Receipt } from './receiptShape.ts'

/** What a leaf is a leaf of; changes with the layout below. */
const LEAF_DOMAIN = 'darkpool.receipt.1'
const HASH_BYTES = 32

/** An asset as a receipt names it. */
export interface ReceiptAsset {
  readonly contract: ContractId
  readonly decimals: number
}

/** One side of a trade in a batch, and nothing of the other: all that its leaf says. Amounts in smallest units. */
export interface TradeSide {
  readonly channel: number
  readonly sequence: number
  readonly trade: TradeId
  readonly market: MarketName
  readonly side: Side
  readonly account: AccountId
  readonly order: OrderId
  readonly base: ReceiptAsset
  readonly quote: ReceiptAsset
  readonly baseAmount: Amount
  readonly quoteAmount: Amount
  /** What the venue keeps of what the side receives: of the base asset where it buys, of the quote asset where it sells. */
  readonly fee: Amount
  readonly time: Milliseconds
  /** Digest chain of the market's journal before the record in which the trade happened. */
  readonly journal: Uint8Array
}

const utf8 = new TextEncoder()
const FIRST_BEYOND_ASCII = 0x80
const WORD_BYTES = 8
const WORD_BITS = 64n

/** Writes parts one behind the other. */
class Writer {
  #bytes = new Uint8Array(512)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  begin(): void {
    this.#length = 0
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  /** A text with its length before it, so that two neighbours cannot exchange bytes. */
  text(value: string): void {
    if (value.length > 0xff) throw tooLong()
    this.#room(1 + value.length)
    // Nearly every text is short and of one byte each: the encoder's call would cost several times what they do.
    const start = this.#length + 1
    for (let at = 0; at < value.length; at++) {
      const unit = value.charCodeAt(at)
      if (unit >= FIRST_BEYOND_ASCII) return this.#encoded(value)
      this.#bytes[start + at] = unit
    }
    this.#bytes[this.#length] = value.length
    this.#length = start + value.length
  }

  #encoded(value: string): void {
    const bytes = utf8.encode(value)
    if (bytes.length > 0xff) throw tooLong()
    this.byte(bytes.length)
    this.raw(bytes)
  }

  /** 32 bytes. */
  hash(value: Uint8Array): void {
    if (value.length !== HASH_BYTES) throw new RangeError('a digest of a leaf is not 32 bytes')
    this.raw(value)
  }

  /** Big-endian, in 4 bytes. */
  small(value: number): void {
    if (!(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff)) throw outOfRange()
    this.#room(4)
    this.#view.setUint32(this.#length, value)
    this.#length += 4
  }

  /** Big-endian, in so many words of 8 bytes. */
  whole(value: bigint, words: number): void {
    if (value < 0n || value >= 1n << (WORD_BITS * BigInt(words))) throw outOfRange()
    this.#room(words * WORD_BYTES)
    // Each takes the lowest bits of what it is given.
    for (let word = words - 1, rest = value; word >= 0; word--, rest >>= WORD_BITS) this.#view.setBigUint64(this.#length + word * WORD_BYTES, rest)
    this.#length += words * WORD_BYTES
  }

  raw(value: Uint8Array): void {
    this.#room(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#length + bytes, 2 * this.#bytes.length))
    larger.set(this.written)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

const tooLong = (): RangeError => new RangeError('a text of a leaf is longer than 255 bytes')
const outOfRange = (): RangeError => new RangeError('a number of a leaf is out of range')

const writer = new Writer()

/** The leaf of one side of a trade. The salt is the side's own: without it nobody can try out what a leaf may be. @param salt 32 bytes */
export function receiptLeaf(sha256: Sha256, side: TradeSide, salt: Uint8Array): Uint8Array {
  writer.begin()
  writer.byte(LEAF)
  writer.text(LEAF_DOMAIN)
  writer.hash(salt)
  writer.small(side.channel)
  writer.whole(BigInt(side.sequence), 1)
  writer.text(side.trade)
  writer.text(side.market)
  writer.byte(side.side === 'buy' ? 0 : 1)
  writer.text(side.account)
  writer.hash(fromHex(side.order))
  for (const { contract, decimals } of [side.base, side.quote]) {
    writer.text(contract)
    writer.byte(decimals)
  }
  for (const amount of [side.baseAmount, side.quoteAmount, side.fee]) writer.whole(amount, 2)
  writer.whole(BigInt(side.time), 1)
  writer.hash(side.journal)
  return sha256(writer.written)
}

/** What a receipt says of its trade, in smallest units; null where a number, a time or a name is spelt in another way than the venue's, or the price is not the one that the amounts have. */
export function sideOf({ channel, sequence, side, assets: { base, quote }, ...receipt }: Receipt): TradeSide | null {
  const [baseAmount, quoteAmount] = [units(receipt.quantity, base.decimals), units(receipt.quote, quote.decimals)]
  const fee = units(receipt.fee, side === 'buy' ? base.decimals : quote.decimals)
  const price = parsed(receipt.price, PRICE_DIGITS)
  const time = Date.parse(receipt.time)
  if (baseAmount === null || quoteAmount === null || fee === null || price === null) return null
  // price = (quote / 10^decimals) / (base / 10^decimals), exactly.
  if (price * baseAmount * 10n ** BigInt(quote.decimals) !== quoteAmount * 10n ** BigInt(base.decimals + PRICE_DIGITS)) return null
  if (!Number.isSafeInteger(time) || time < 0 || new Date(time).toISOString() !== receipt.time || !receipt.trade.startsWith(`${receipt.market}:`)) return null
  return {
    channel,
    sequence,
    trade: receipt.trade as TradeId,
    market: receipt.market as MarketName,
    side,
    account: receipt.account as AccountId,
    order: receipt.order as OrderId,
    base: base as ReceiptAsset,
    quote: quote as ReceiptAsset,
    baseAmount: baseAmount as Amount,
    quoteAmount: quoteAmount as Amount,
    fee: fee as Amount,
    time: time as Milliseconds,
    journal: fromHex(receipt.journal),
  }
}

/** As many as a decimal has (decimal.ts). */
const PRICE_DIGITS = 38

/** What a leaf has room for. */
const MOST = 1n << 128n

function units(text: string, scale: number): bigint | null {
  const value = parsed(text, scale)
  return value === null || value >= MOST ? null : value
}

function parsed(text: string, scale: number): bigint | null {
  try {
    return parseDecimal(text, scale) ?? null
  } catch {
    // Another spelling than the one that a number has.
    return null
  }
}
