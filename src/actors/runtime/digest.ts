import { hash } from 'node:crypto'
import type { ActorName } from '../../protocol/identity.ts'
import { DIGEST_BYTES } from './record.ts'

/** Grown once to what a busy batch needs; larger ones are rare and let go again. */
const KEPT_BYTES = 4_194_304
const NUMBER_BYTES = 8

/** The digest before an actor's first record: no record fits another venue's or another actor's journal. */
export const genesisDigest = (venue: string, actor: ActorName): Uint8Array => sha256(Buffer.from(`darkpool journal ${venue} ${actor}`))

/**
 * What happened in one record, written out for its digest: the digest before it, what came in, and what it caused. Each part stands behind
 * its length, so that no two records give the same text. One buffer and one call of the hash: many small ones would cost more than the
 * hash itself.
 */
export class Transcript {
  #buffer = Buffer.allocUnsafe(65_536)
  #length = 0

  begin(previous: Uint8Array, epoch: number, index: number): void {
    this.#length = 0
    this.bytes(previous)
    this.number(epoch)
    this.number(index)
  }

  number(value: number): void {
    this.#room(NUMBER_BYTES)
    this.#length = this.#buffer.writeDoubleBE(value, this.#length)
  }

  bytes(value: Uint8Array): void {
    this.number(value.length)
    this.#room(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  text(value: string): void {
    // A UTF-16 unit makes three bytes at most. The length is filled in once it is known.
    this.#room(NUMBER_BYTES + 3 * value.length)
    const written = this.#buffer.write(value, this.#length + NUMBER_BYTES)
    this.number(written)
    this.#length += written
  }

  /** The digest of all of it. */
  end(): Uint8Array {
    const digest = sha256(this.#buffer.subarray(0, this.#length))
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(65_536)
    return digest
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

export const sameDigest = (a: Uint8Array, b: Uint8Array): boolean => a.length === DIGEST_BYTES && Buffer.from(a.buffer, a.byteOffset, a.length).equals(b)

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')
