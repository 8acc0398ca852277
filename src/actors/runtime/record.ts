import { limits } from '../../protocol/limits.ts'
import type { Milliseconds } from '../../protocol/identity.ts'

/** First byte of every record. A reader refuses what it does not know. */
const RECORD_VERSION = 1
/** version u8 · epoch u32 · index u64 · time f64 · inputs u32, big-endian. */
const HEADER_BYTES = 25
/** tag u8 · length u32. */
const INPUT_BYTES = 5

/** What an input is. The numbers are in journals: never reuse one. */
export const inputTag = { client: 1, peer: 2, peerAck: 3, feedAck: 4, local: 5 } as const
export type InputTag = (typeof inputTag)[keyof typeof inputTag]

/** One input as it came in: the bytes of the packet, not our reading of them. */
export interface RecordInput {
  readonly tag: InputTag
  readonly bytes: Uint8Array
}

/**
 * What an actor did in one step: at `time` it advanced, then applied `inputs` in order. With no inputs it is a tick, or the first record
 * of a new epoch.
 */
export interface JournalRecord {
  /** Counts the owners the actor has had; each begins by appending a record of its own epoch. */
  readonly epoch: number
  /** Counts the actor's records from 1 without a gap. */
  readonly index: number
  readonly time: Milliseconds
  readonly inputs: readonly RecordInput[]
}

/** Largest record, and thereby largest packet that can be journaled, in bytes. */
export const recordBytes = limits.packetBytes - 4_096
/** What an input takes in a record besides its own bytes. */
export const inputOverhead = INPUT_BYTES
/** What is left of a record for inputs. */
export const recordRoom = recordBytes - HEADER_BYTES

export function encodeRecord(record: JournalRecord): Uint8Array {
  let length = HEADER_BYTES
  for (const input of record.inputs) length += INPUT_BYTES + input.bytes.length
  if (length > recordBytes) throw new Error(`record of ${length} bytes; at most ${recordBytes} fit`)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, RECORD_VERSION)
  view.setUint32(1, record.epoch)
  view.setBigUint64(5, BigInt(record.index))
  view.setFloat64(13, record.time)
  view.setUint32(21, record.inputs.length)
  let at = HEADER_BYTES
  for (const input of record.inputs) {
    view.setUint8(at, input.tag)
    view.setUint32(at + 1, input.bytes.length)
    bytes.set(input.bytes, at + INPUT_BYTES)
    at += INPUT_BYTES + input.bytes.length
  }
  return bytes
}

/** @throws Error where the bytes are not one whole record of this version */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  if (bytes.length < HEADER_BYTES) throw new Error(`journal record of ${bytes.length} bytes is torn`)
  if (bytes[0] !== RECORD_VERSION) throw new Error(`journal record version ${bytes[0]} instead of ${RECORD_VERSION}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = view.getUint32(21)
  const inputs: RecordInput[] = []
  let at = HEADER_BYTES
  for (let i = 0; i < count; i++) {
    const start = at + INPUT_BYTES
    if (start > bytes.length) throw new Error('journal record is torn')
    const tag = view.getUint8(at)
    at = start + view.getUint32(start - 4)
    if (at > bytes.length) throw new Error('journal record is torn')
    if (tag < inputTag.client || tag > inputTag.local) throw new Error(`journal record has an input of unknown kind ${tag}`)
    inputs.push({ tag: tag as InputTag, bytes: bytes.subarray(start, at) })
  }
  if (at !== bytes.length) throw new Error('journal record has bytes after its end')
  return { epoch: view.getUint32(1), index: Number(view.getBigUint64(5)), time: view.getFloat64(13) as Milliseconds, inputs }
}
