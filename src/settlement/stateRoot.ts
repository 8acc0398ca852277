import { hash } from 'node:crypto'

/** The state root of a channel before its first batch. */
export const GENESIS_ROOT: Uint8Array = new Uint8Array(32)

/**
 * The channel's history in one hash: sha256(previous root ‖ sequence as u64 big-endian ‖ trades root ‖ deltas). Each batch carries it to
 * the chain, so an engine whose past differs from the one on chain shows with its next batch.
 */
export function stateRoot(previous: Uint8Array, sequence: number, tradesRoot: Uint8Array, deltas: Uint8Array): Uint8Array {
  if (previous.length !== 32 || tradesRoot.length !== 32) throw new RangeError('a root is 32 bytes')
  if (!Number.isSafeInteger(sequence) || sequence < 1) throw new RangeError('a sequence counts from 1')
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(BigInt(sequence))
  return new Uint8Array(hash('sha256', Buffer.concat([previous, number, tradesRoot, deltas]), 'buffer'))
}
