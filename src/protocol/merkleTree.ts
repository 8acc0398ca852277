/** First byte of every leaf's text and of every inner node's, so that neither can pass for the other (RFC 6962, 2.1). */
export const LEAF = 0x00
const NODE = 0x01
const HASH_BYTES = 32

/** Node's own is the fastest; not every platform has it. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** A node over two others. */
export function merkleNode(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES)
  bytes[0] = NODE
  bytes.set(left, 1)
  bytes.set(right, 1 + HASH_BYTES)
  return sha256(bytes)
}

/**
 * The root that a leaf and its path lead to in RFC 6962's tree of that size; null where a path of that length has no place in it. Which sibling stands left
 * follows from index and size (RFC 9162, 2.1.3.2).
 */
export function rootOfPath(sha256: Sha256, leaf: Uint8Array, index: number, size: number, path: readonly Uint8Array[]): Uint8Array | null {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size)) return null
  let [at, last, root] = [index, size - 1, leaf]
  const up = (): void => {
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  for (const sibling of path) {
    if (last === 0) return null
    if (at % 2 === 1 || at === last) {
      root = merkleNode(sha256, sibling, root)
      // The last node of a level without a sibling moved up as it was.
      while (at % 2 === 0 && at !== 0) up()
    } else root = merkleNode(sha256, root, sibling)
    up()
  }
  return last === 0 ? root : null
}

/** The levels of RFC 6962's tree over the leaves, leaves first: an odd last node moves up as it is. It is not paired with itself: two lists of different length would share a root. */
function levelsOver(sha256: Sha256, leaves: readonly Uint8Array[]): Uint8Array[][] {
  if (leaves.length === 0) throw new RangeError('a tree has at least one leaf')
  const levels = [[...leaves]]
  for (let level = levels[0]!; level.length > 1; levels.push(level)) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1]
      above.push(right === undefined ? level[i]! : merkleNode(sha256, level[i]!, right))
    }
    level = above
  }
  return levels
}

export const merkleRoot = (sha256: Sha256, leaves: readonly Uint8Array[]): Uint8Array => levelsOver(sha256, leaves).at(-1)![0]!

/** The siblings between a leaf and the root, its own first. */
export function merklePath(sha256: Sha256, leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!(index >= 0 && index < leaves.length)) throw new RangeError('no leaf stands there')
  return pathIn(levelsOver(sha256, leaves), index)
}

/** The paths of all leaves, for one building of the tree. */
export function merklePaths(sha256: Sha256, leaves: readonly Uint8Array[]): Uint8Array[][] {
  const levels = levelsOver(sha256, leaves)
  return leaves.map((_leaf, index) => pathIn(levels, index))
}

function pathIn(levels: readonly (readonly Uint8Array[])[], index: number): Uint8Array[] {
  const path: Uint8Array[] = []
  let at = index
  for (const level of levels) {
    const sibling = level[at ^ 1]
    if (sibling !== undefined) path.push(sibling)
    at >>= 1
  }
  return path
}
