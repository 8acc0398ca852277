/** 32 children to a word, seven storeys: 2^35 values, more than the 32 bits that a member may have. */
const STOREYS = 7

const bit = (value: number): number => 1 << (value & 31)
const lowest = (word: number): number => 31 - Math.clz32(word & -word)
const highest = (word: number): number => 31 - Math.clz32(word)
const bitsAbove = (value: number): number => ((value & 31) === 31 ? 0 : -1 << ((value & 31) + 1))
const bitsBelow = (value: number): number => bit(value) - 1

/**
 * A sorted set of unsigned 32-bit integers (prices in ticks, times in seconds or minutes): a tree of 32-way bitmaps of which only the
 * words that hold something exist. Every operation takes at most seven steps up and seven down however far apart the members
 * lie, and the tree depends on the members alone, never on the order in which they came.
 */
export class IntegerSet {
  /** `#storeys[0]` holds one bit per member; a bit of `#storeys[k + 1]` says that a word of `#storeys[k]` exists. */
  readonly #storeys = Array.from({ length: STOREYS }, () => new Map<number, number>())

  add(member: number): void {
    let value = member
    for (const words of this.#storeys) {
      const word = words.get(value >>> 5) ?? 0
      words.set(value >>> 5, word | bit(value))
      if (word !== 0) return
      value >>>= 5
    }
  }

  delete(member: number): void {
    let value = member
    for (const words of this.#storeys) {
      const word = (words.get(value >>> 5) ?? 0) & ~bit(value)
      if (word !== 0) {
        words.set(value >>> 5, word)
        return
      }
      words.delete(value >>> 5)
      value >>>= 5
    }
  }

  get first(): number | undefined {
    return this.#descend(STOREYS, 0, lowest)
  }

  get last(): number | undefined {
    return this.#descend(STOREYS, 0, highest)
  }

  /** The smallest member greater than `bound`. */
  after(bound: number): number | undefined {
    return this.#beside(bound, bitsAbove, lowest)
  }

  /** The greatest member smaller than `bound`. */
  before(bound: number): number | undefined {
    return this.#beside(bound, bitsBelow, highest)
  }

  /** Climbs until a word has a member on the wanted side, then descends along its nearest edge. */
  #beside(bound: number, side: (value: number) => number, nearest: (word: number) => number): number | undefined {
    let value = bound
    for (let storey = 0; storey < STOREYS; storey++) {
      const word = (this.#words(storey).get(value >>> 5) ?? 0) & side(value)
      value >>>= 5
      if (word !== 0) return this.#descend(storey, (value << 5) | nearest(word), nearest)
    }
    return undefined
  }

  #descend(from: number, start: number, nearest: (word: number) => number): number | undefined {
    let value = start
    for (let storey = from - 1; storey >= 0; storey--) {
      const word = this.#words(storey).get(value >>> 0)
      if (word === undefined) return undefined
      value = (value << 5) | nearest(word)
    }
    return value >>> 0
  }

  #words(storey: number): Map<number, number> {
    const words = this.#storeys[storey]
    if (words === undefined) throw new Error('a bitmap tree has seven storeys')
    return words
  }
}
