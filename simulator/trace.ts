import { crc32 } from 'node:zlib'

/** Events shown at a violation. */
const KEPT = 60

interface Entry {
  at_us: number
  what: string
  where: string
  detail: string | number
}

/** Everything that happens in a simulation, in order, in one hash; the last of it for people. */
export class Trace {
  readonly #last: Entry[] = []
  readonly #hashes = new Map<string, number>()
  readonly #begin_us: number
  #at = 0
  #hash = 0x9e3779b9 | 0

  constructor(begin_us: number) {
    this.#begin_us = begin_us
  }

  /** Two runs with the same hash have done the same. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  /** `detail`: a number or a short text, never what an order says. */
  event(at_us: number, what: string, where: string, detail: string | number = 0): void {
    this.#mix(at_us % 0x1_0000_0000)
    this.#mix(this.#hashOf(what))
    this.#mix(this.#hashOf(where))
    this.#mix(typeof detail === 'number' ? detail : this.#hashOf(detail))
    const entry = this.#last[this.#at]
    if (entry === undefined) this.#last.push({ at_us, what, where, detail })
    else {
      entry.at_us = at_us
      entry.what = what
      entry.where = where
      entry.detail = detail
    }
    this.#at = (this.#at + 1) % KEPT
  }

  /** Bytes that went somewhere. */
  bytes(value: Uint8Array): void {
    this.#mix(crc32(value))
  }

  /** The last events, oldest first. */
  get last(): string[] {
    const entries = [...this.#last.slice(this.#at), ...this.#last.slice(0, this.#at)]
    return entries.map(({ at_us, what, where, detail }) => `${((at_us - this.#begin_us) / 1_000).toFixed(3).padStart(12)} ms  ${where.padEnd(16)} ${what}${detail === 0 ? '' : `  ${detail}`}`)
  }

  #hashOf(text: string): number {
    let hash = this.#hashes.get(text)
    if (hash === undefined) {
      hash = crc32(text)
      // Texts are few; those with numbers in them must not pile up.
      if (this.#hashes.size < 4_096) this.#hashes.set(text, hash)
    }
    return hash
  }

  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value | 0), 0x5bd1e995)
    this.#hash ^= this.#hash >>> 15
  }
}
