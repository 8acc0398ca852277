/** Unsigned LEB128 in its shortest form, up to 128 bits: a value has one spelling, so a batch has. */
export function writeVarint(bytes: number[], value: bigint): void {
  if (value < 0n || value >= 1n << 128n) throw new RangeError('a varint holds 0 … 2^128 − 1')
  let rest = value
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
}

/** 0, −1, 1, −2, … as 0, 1, 2, 3, …: small differences of either sign stay short. i128 only. */
export function zigzag(value: bigint): bigint {
  if (BigInt.asIntN(128, value) !== value) throw new RangeError('a delta holds an i128')
  return value < 0n ? -value * 2n - 1n : value * 2n
}

export const unzigzag = (value: bigint): bigint => ((value & 1n) === 1n ? -(value >> 1n) - 1n : value >> 1n)

/** Reads what `writeVarint` writes and refuses every other spelling. */
export class VarintReader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#position === this.#bytes.length
  }

  /** Reads the next byte where there is one and it is this one. */
  take(byte: number): boolean {
    const found = this.#bytes[this.#position] === byte
    if (found) this.#position++
    return found
  }

  byte(): number {
    const byte = this.#bytes[this.#position]
    if (byte === undefined) throw new RangeError('deltas end inside a section')
    this.#position++
    return byte
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 133n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if ((byte & 0x80) !== 0) continue
      if (byte === 0 && shift > 0n) throw new RangeError('a varint is longer than its value needs')
      if (value >= 1n << 128n) break
      return value
    }
    throw new RangeError('a varint exceeds 128 bits')
  }

  u32(): number {
    const value = this.varint()
    if (value > 0xffff_ffffn) throw new RangeError('a varint exceeds the 32 bits of its field')
    return Number(value)
  }
}
