import assert from 'node:assert/strict'
import { above, BitTree, bitOf, lowest } from './bitTree.ts'
import type { OrderPool } from './orderPool.ts'

/** A leaf has the queues of 32 keys, a branch 1,024 leaves, the root the rest of the key's 32 bits. */
const LEAF_BITS = 5
const BRANCH_BITS = 10
const LEAVES = 1 << BRANCH_BITS
/** Words of a branch's bitmap, and one above them that tells which are not empty. */
const BRANCH_WORDS = LEAVES / 32 + 1
const ROOT_SHIFT = LEAF_BITS + BRANCH_BITS

/** No key: as unsigned larger than any. */
export const NONE = -1

/**
 * First come, first served under each key, and the keys in order: the price levels of one side, or the expiries. Keys are unsigned 32-bit
 * (0xffffffff excepted), held as signed words. A tree of three storeys finds a key's queue in three steps and the next key
 * in a handful of word operations, however many wait under a key and however far apart the keys are. Leaves and branches exist while something waits in them.
 * A queue is a ring through two words of its orders' slots, so the tree needs only its head.
 */
export class Queues {
  readonly #pool: OrderPool
  readonly #next: number
  readonly #previous: number
  readonly #root: Int32Array
  readonly #rootBits: BitTree
  /** By branch: its leaves, and the bitmap of them. Branch 0 and leaf 0 are none. */
  #branches = new Int32Array(2 * LEAVES)
  #branchBits = new Int32Array(2 * BRANCH_WORDS)
  #leaves = new Int32Array(64 * 32)
  #leafBits = new Int32Array(64)
  #usedBranches = 0
  #usedLeaves = 0
  /** Freed ones, chained through their first word. */
  #freeBranch = 0
  #freeLeaf = 0
  #first = NONE

  /** Keys are 0 … `highest`; `next` and `previous` are the words of a slot that make the ring. */
  constructor(pool: OrderPool, highest: number, next: number, previous: number) {
    this.#pool = pool
    this.#next = next
    this.#previous = previous
    const size = (highest >>> ROOT_SHIFT) + 1
    this.#root = new Int32Array(size)
    this.#rootBits = new BitTree(Math.max(size, 2))
  }

  get bytes(): number {
    const arrays = [this.#root, this.#branches, this.#branchBits, this.#leaves, this.#leafBits]
    return arrays.reduce((sum, array) => sum + array.byteLength, this.#rootBits.bytes)
  }

  /** The lowest key, or NONE. */
  get first(): number {
    return this.#first
  }

  /** Who waits longest under `key`; 0 where nobody does. */
  head(key: number): number {
    const branch = this.#root[key >>> ROOT_SHIFT]!
    if (branch === 0) return 0
    const leaf = this.#branches[(branch << BRANCH_BITS) | ((key >>> LEAF_BITS) & (LEAVES - 1))]!
    return leaf === 0 ? 0 : this.#leaves[(leaf << LEAF_BITS) | (key & 31)]!
  }

  /** The next higher key, or NONE. */
  after(key: number): number {
    const branch = this.#root[key >>> ROOT_SHIFT]!
    if (branch !== 0) {
      const leaf = this.#branches[(branch << BRANCH_BITS) | ((key >>> LEAF_BITS) & (LEAVES - 1))]!
      if (leaf !== 0) {
        const bits = this.#leafBits[leaf]! & above(key)
        if (bits !== 0) return (key & ~31) | lowest(bits)
      }
      const beside = this.#leafAfter(branch, (key >>> LEAF_BITS) & (LEAVES - 1))
      if (beside !== NONE) return this.#lowestOf(key >>> ROOT_SHIFT, branch, beside)
    }
    const next = this.#rootBits.after(key >>> ROOT_SHIFT)
    if (next === -1) return NONE
    const nextBranch = this.#root[next]!
    return this.#lowestOf(next, nextBranch, this.#leafAfter(nextBranch, -1))
  }

  append(key: number, slot: number): void {
    const { words } = this.#pool
    const place = (this.#leafFor(key) << LEAF_BITS) | (key & 31)
    const head = this.#leaves[place]!
    const at = slot << 4
    if (head === 0) {
      this.#leaves[place] = slot
      words[at + this.#next] = slot
      words[at + this.#previous] = slot
      const leaf = place >>> LEAF_BITS
      this.#leafBits[leaf] = this.#leafBits[leaf]! | bitOf(key)
      if (key >>> 0 < this.#first >>> 0) this.#first = key
      return
    }
    const last = words[(head << 4) + this.#previous]!
    words[at + this.#next] = head
    words[at + this.#previous] = last
    words[(last << 4) + this.#next] = slot
    words[(head << 4) + this.#previous] = slot
  }

  remove(key: number, slot: number): void {
    const { words } = this.#pool
    const branch = this.#root[key >>> ROOT_SHIFT]!
    const leaf = this.#branches[(branch << BRANCH_BITS) | ((key >>> LEAF_BITS) & (LEAVES - 1))]!
    const place = (leaf << LEAF_BITS) | (key & 31)
    const at = slot << 4
    const next = words[at + this.#next]!
    if (next !== slot) {
      const previous = words[at + this.#previous]!
      words[(previous << 4) + this.#next] = next
      words[(next << 4) + this.#previous] = previous
      if (this.#leaves[place] === slot) this.#leaves[place] = next
      return
    }
    if (this.#leaves[place] !== slot) assert.fail('who leaves a queue alone was its head')
    this.#leaves[place] = 0
    const bits = this.#leafBits[leaf]! & ~bitOf(key)
    this.#leafBits[leaf] = bits
    if (key === this.#first) this.#first = this.after(key)
    if (bits === 0) this.#dropLeaf(key, branch, leaf)
  }

  #lowestOf(root: number, branch: number, index: number): number {
    const leaf = this.#branches[(branch << BRANCH_BITS) | index]!
    return (root << ROOT_SHIFT) | (index << LEAF_BITS) | lowest(this.#leafBits[leaf]!)
  }

  /** The next leaf of a branch after number `index`, which may be −1; NONE where there is none. */
  #leafAfter(branch: number, index: number): number {
    const bits = this.#branchBits
    const base = branch * BRANCH_WORDS
    if (index >= 0) {
      const within = bits[base + 1 + (index >>> 5)]! & above(index)
      if (within !== 0) return (index & ~31) | lowest(within)
    }
    const beyond = bits[base]! & (index < 0 ? -1 : above(index >>> 5))
    if (beyond === 0) return NONE
    const at = lowest(beyond)
    return (at << 5) | lowest(bits[base + 1 + at]!)
  }

  #leafFor(key: number): number {
    let branch = this.#root[key >>> ROOT_SHIFT]!
    if (branch === 0) branch = this.#addBranch(key)
    const index = (key >>> LEAF_BITS) & (LEAVES - 1)
    const leaf = this.#branches[(branch << BRANCH_BITS) | index]!
    return leaf === 0 ? this.#addLeaf(branch, index) : leaf
  }

  #addBranch(key: number): number {
    let branch = this.#freeBranch
    if (branch !== 0) {
      this.#freeBranch = this.#branches[branch << BRANCH_BITS]!
      this.#branches[branch << BRANCH_BITS] = 0
    } else {
      branch = ++this.#usedBranches
      this.#branches = roomFor(this.#branches, (branch + 1) << BRANCH_BITS)
      this.#branchBits = roomFor(this.#branchBits, (branch + 1) * BRANCH_WORDS)
    }
    this.#root[key >>> ROOT_SHIFT] = branch
    this.#rootBits.add(key >>> ROOT_SHIFT)
    return branch
  }

  #addLeaf(branch: number, index: number): number {
    let leaf = this.#freeLeaf
    if (leaf !== 0) {
      this.#freeLeaf = this.#leaves[leaf << LEAF_BITS]!
      this.#leaves[leaf << LEAF_BITS] = 0
    } else {
      leaf = ++this.#usedLeaves
      this.#leaves = roomFor(this.#leaves, (leaf + 1) << LEAF_BITS)
      this.#leafBits = roomFor(this.#leafBits, leaf + 1)
    }
    this.#branches[(branch << BRANCH_BITS) | index] = leaf
    const bits = this.#branchBits
    const at = branch * BRANCH_WORDS + 1 + (index >>> 5)
    bits[at] = bits[at]! | bitOf(index)
    bits[branch * BRANCH_WORDS] = bits[branch * BRANCH_WORDS]! | bitOf(index >>> 5)
    return leaf
  }

  /** A leaf without queues goes, and with it a branch without leaves. */
  #dropLeaf(key: number, branch: number, leaf: number): void {
    this.#leaves[leaf << LEAF_BITS] = this.#freeLeaf
    this.#freeLeaf = leaf
    const index = (key >>> LEAF_BITS) & (LEAVES - 1)
    this.#branches[(branch << BRANCH_BITS) | index] = 0
    const bits = this.#branchBits
    const base = branch * BRANCH_WORDS
    const left = bits[base + 1 + (index >>> 5)]! & ~bitOf(index)
    bits[base + 1 + (index >>> 5)] = left
    if (left !== 0) return
    bits[base] = bits[base]! & ~bitOf(index >>> 5)
    if (bits[base] !== 0) return
    this.#branches[branch << BRANCH_BITS] = this.#freeBranch
    this.#freeBranch = branch
    this.#root[key >>> ROOT_SHIFT] = 0
    this.#rootBits.delete(key >>> ROOT_SHIFT)
  }
}

/** Twice as long while small, then a quarter more: what is copied stays in proportion, what is spare small. */
function roomFor(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= array.length) return array
  const larger = new Int32Array(Math.max(length, array.length < 1 << 20 ? array.length * 2 : Math.ceil(array.length * 1.25)))
  larger.set(array)
  return larger
}
