import { StrKey } from '@stellar/stellar-sdk/base'

/**
 * Public keys by their G… address. Decoding one costs microseconds, and the same traders come back; memory is bounded by keeping two
 * generations: when the young one is full it becomes the old one, and what was not asked for since is forgotten.
 */
export class KeyCache {
  readonly #generationSize: number
  #young = new Map<string, Uint8Array>()
  #old = new Map<string, Uint8Array>()

  constructor(generationSize = 32_768) {
    this.#generationSize = generationSize
  }

  /** The 32 bytes of an ed25519 key, or undefined where the address's checksum does not fit. */
  publicKey(address: string): Uint8Array | undefined {
    const known = this.#young.get(address)
    if (known !== undefined) return known
    const key = this.#old.get(address) ?? decode(address)
    // Only valid addresses are kept: an attacker's nonsense cannot push traders' keys out more cheaply than real keys could.
    if (key === undefined) return undefined
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(address, key)
    return key
  }
}

function decode(address: string): Uint8Array | undefined {
  return StrKey.isValidEd25519PublicKey(address) ? Uint8Array.from(StrKey.decodeEd25519PublicKey(address)) : undefined
}
