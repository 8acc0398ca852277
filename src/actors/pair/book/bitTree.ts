/** Bit numbers within a word: `above(n)` are the bits higher than n's five lowest bits say. */
export const bitOf = (n: number): number => 1 << (n & 31)
export const above = (n: number): number => (-1 << (n & 31)) << 1
/** Number of the lowest bit that is set; the word is not 0. */
export const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits)

/** A set of small numbers that tells the next one after any: a bitmap, a bitmap of its words that are not empty, and so on. */
export class BitTree {
  readonly #storeys: Int32Array[] = []

  /** Members are 0 … size − 1. */
  constructor(size: number) {
    for (let words = size; words > 1; ) {
      words = (words + 31) >>> 5
      this.#storeys.push(new Int32Array(words))
    }
  }

  get bytes(): number {
    return this.#storeys.reduce((sum, words) => sum + words.byteLength, 0)
  }

  add(member: number): void {
    let at = member
    for (const words of this.#storeys) {
      const old = words[at >>> 5]!
      words[at >>> 5] = old | bitOf(at)
      if (old !== 0) return
      at >>>= 5
    }
  }

  delete(member: number): void {
    let at = member
    for (const words of this.#storeys) {
      const left = words[at >>> 5]! & ~bitOf(at)
      words[at >>> 5] = left
      if (left !== 0) return
      at >>>= 5
    }
  }

  /** The smallest member greater than `bound`, which may be −1; −1 where there is none. */
  after(bound: number): number {
    let at = bound
    if (bound < 0) {
      const first = this.#storeys[0]![0]!
      if (first !== 0) return lowest(first)
      at = 0
    }
    for (let storey = 0; storey < this.#storeys.length; storey++) {
      const bits = this.#storeys[storey]![at >>> 5]! & above(at)
      at >>>= 5
      if (bits !== 0) return this.#descend(storey, (at << 5) | lowest(bits))
    }
    return -1
  }

  #descend(from: number, start: number): number {
    let at = start
    for (let storey = from - 1; storey >= 0; storey--) at = (at << 5) | lowest(this.#storeys[storey]![at]!)
    return at
  }
}
