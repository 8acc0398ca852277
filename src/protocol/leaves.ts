import type { ActorName, Milliseconds } from './identity.ts'

const HASH_BYTES = 32
const ENTRY_BYTES = 2 * HASH_BYTES + 8

/** Leaves that one stored message holds: a power of two, so that they are a branch of the tree. */
export const LEAVES_PER_PAGE = 512

/** A leaf as it is stored, and what its owner cannot know otherwise. */
export interface LeafEntry {
  readonly leaf: Uint8Array
  readonly journal: Uint8Array
  readonly time: Milliseconds
}

/**
 * Leaves of a batch as a settlement actor stores them, as JSON text on `dp.v1.<venue>.receipts.<actor>`: some of those under one root, in their order. `seq` counts the
 * messages of the actor from 1 without a gap. Salted hashes, the digest of a journal and a time each: nothing of what was traded, or by whom.
 */
export interface LeavesMessage {
  readonly v: 1
  readonly seq: number
  readonly actor: ActorName
  readonly type: 'leaves'
  readonly sequence: number
  /** Place of the first. */
  readonly first: number
  /** Base64 of the entries: leaf, journal, time in milliseconds (8 bytes, big-endian). */
  readonly entries: string
  /** Base64 of the siblings between these leaves' own root and the batch's. */
  readonly path: string
}

export function packEntries(entries: readonly LeafEntry[]): string {
  const bytes = Buffer.alloc(entries.length * ENTRY_BYTES)
  for (const [n, { leaf, journal, time }] of entries.entries()) {
    bytes.set(leaf, n * ENTRY_BYTES)
    bytes.set(journal, n * ENTRY_BYTES + HASH_BYTES)
    bytes.writeBigUInt64BE(BigInt(time), n * ENTRY_BYTES + 2 * HASH_BYTES)
  }
  return bytes.toString('base64')
}

/** @throws Error where the text is no whole number of entries */
export function unpackEntries(text: string): LeafEntry[] {
  return piecesOf(text, ENTRY_BYTES).map((bytes) => ({
    leaf: bytes.subarray(0, HASH_BYTES),
    journal: bytes.subarray(HASH_BYTES, 2 * HASH_BYTES),
    time: Number(bytes.readBigUInt64BE(2 * HASH_BYTES)) as Milliseconds,
  }))
}

export const packHashes = (hashes: readonly Uint8Array[]): string => Buffer.concat(hashes).toString('base64')

/** @throws Error likewise */
export const unpackHashes = (text: string): Uint8Array[] => piecesOf(text, HASH_BYTES)

function piecesOf(text: string, length: number): Buffer[] {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length % length !== 0) throw new Error('a stored message of leaves is torn')
  return Array.from({ length: bytes.length / length }, (_, n) => bytes.subarray(n * length, (n + 1) * length))
}
