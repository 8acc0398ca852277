import { createHmac, createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Side, TradeId } from '../protocol/identity.ts'
import { keyPaths } from './keys.ts'
import type { Keys } from './keys.ts'

const KEY_BYTES = 32

/**
 * The salts of receipts: each follows from the venue's key, a trade and its side, so that a replay makes the same leaves, and whoever has not the key can neither
 * guess what a leaf stands for nor find from one side of a trade the other.
 */
export class ReceiptSalts {
  readonly #key: KeyObject
  readonly #venue: string

  constructor(venue: string, key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new Error(`the key of receipts has ${KEY_BYTES} bytes, not ${key.length}`)
    this.#venue = venue
    this.#key = createSecretKey(key)
  }

  /** 32 bytes. */
  of(trade: TradeId, side: Side): Uint8Array {
    return createHmac('sha256', this.#key).update(`darkpool receipt\0${this.#venue}\0${side}\0${trade}`).digest()
  }
}

export const receiptSalts = async (keys: Keys, venue: string): Promise<ReceiptSalts> => new ReceiptSalts(venue, await keys.secret(keyPaths.receipts))
