import { hash } from 'node:crypto'
import type { Trade } from '../protocol/pair.ts'

/** First byte of every leaf and of every inner node, so that neither can pass for the other (RFC 6962, 2.1). */
const LEAF = 0x00
const NODE = 0x01
/** What a leaf is a leaf of; changes with the layout below. */
const LEAF_DOMAIN = 'darkpool.trade.1'

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(hash('sha256', Buffer.concat(parts), 'buffer'))

/** A text with its length before it, so that two neighbours cannot exchange bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  if (bytes.length > 0xff) throw new RangeError('a text of a trade leaf is longer than 255 bytes')
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

function order(id: string): Buffer {
  const bytes = Buffer.from(id, 'hex')
  if (bytes.length !== 32) throw new RangeError('an order id is not 32 bytes of hex')
  return bytes
}

function whole(value: bigint, bytes: number): Buffer {
  const digits = value.toString(16).padStart(bytes * 2, '0')
  if (value < 0n || digits.length !== bytes * 2) throw new RangeError('a number of a trade leaf is out of range')
  return Buffer.from(digits, 'hex')
}

/**
 * A trade's leaf. The order ids are digests of signed messages that only their traders and the venue know, so they salt the leaf: from a
 * root or a path nobody can search for the trade that is beside theirs.
 */
export function tradeLeaf(trade: Trade): Uint8Array {
  return sha256(
    Buffer.of(LEAF),
    text(LEAF_DOMAIN),
    text(trade.id),
    text(trade.market),
    order(trade.buyOrder),
    order(trade.sellOrder),
    text(trade.buyer),
    text(trade.seller),
    whole(trade.base, 16),
    whole(trade.quote, 16),
    whole(BigInt(trade.time), 8),
  )
}

/**
 * Root of the Merkle tree over the leaves, in order: RFC 6962's tree, where a level's odd last node moves up as it is. It is not
 * paired with itself: two lists of different length would share a root.
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) throw new RangeError('a batch has at least one trade')
  let level = [...leaves]
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array
      const right = level[i + 1]
      above.push(right === undefined ? left : sha256(Buffer.of(NODE), left, right))
    }
    level = above
  }
  return level[0] as Uint8Array
}

export const tradesRoot = (trades: readonly Trade[]): Uint8Array => merkleRoot(trades.map(tradeLeaf))
