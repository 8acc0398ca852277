import { hash } from 'node:crypto'

/**
 * All chance of a simulation: xoshiro128** (Blackman and Vigna, 2018), begun from a text. Each concern draws from a stream of its own, so that
 * one more draw in one place does not change what happens everywhere else.
 */
export class Random {
  readonly #seed: string
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: string) {
    this.#seed = seed
    const digest = hash('sha256', `darkpool simulator ${seed}`, 'buffer')
    this.#a = digest.readInt32LE(0)
    this.#b = digest.readInt32LE(4)
    this.#c = digest.readInt32LE(8)
    // The state must not be all zero.
    this.#d = digest.readInt32LE(12) | 1
  }

  fork(name: string): Random {
    return new Random(`${this.#seed}/${name}`)
  }

  /** 0 … 2^32 − 1. */
  uint32(): number {
    const scrambled = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9)
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = rotate(this.#d, 11)
    return scrambled >>> 0
  }

  /** 0 … bound − 1. */
  below(bound: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * bound)
  }

  /** `least` … `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  chance(probability: number): boolean {
    return probability > 0 && this.uint32() < probability * 0x1_0000_0000
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('nothing to pick from')
    return items[this.below(items.length)] as Item
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at++) bytes[at] = this.uint32() >>> 24
    return bytes
  }

  /** Lower-case hex digits. */
  hex(digits: number): string {
    const bytes = Buffer.allocUnsafe(4 * Math.ceil(digits / 8))
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(this.uint32(), at)
    return bytes.toString('hex').slice(0, digits)
  }
}

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))
