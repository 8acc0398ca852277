import { limits } from '../../protocol/limits.ts'
import type { Milliseconds } from '../../protocol/identity.ts'

export const DIGEST_BYTES = 32
/** digest · time f64 · inputs u32, big-endian. */
const HEADER_BYTES = DIGEST_BYTES + 12
/** tag u8 · length u32. */
const INPUT_BYTES = 5
/** What an envelope adds at most. */
const ENVELOPE_BYTES = 128

/** What an input is. The numbers are in journals: never reuse one. */
export const inputTag = { client: 1, peer: 2, peerAck: 3, feedAck: 4, local: 5 } as const
export type InputTag = (typeof inputTag)[keyof typeof inputTag]

/** One input as it came in: the bytes of the packet, not our reading of them. */
export interface RecordInput {
  readonly tag: InputTag
  readonly bytes: Uint8Array
}

/**
 * What an actor did in one step: at `time` it advanced, then applied `inputs` in order. The first record of a new epoch says only that there
 * is another owner: it has no inputs, and the machine does not advance.
 */
export interface RecordBody {
  /** The actor's digest chain after this record (digest.ts). */
  readonly digest: Uint8Array
  readonly time: Milliseconds
  readonly inputs: readonly RecordInput[]
}

/** Largest stored record, in bytes. */
export const recordBytes = limits.packetBytes - 4_096
/** What an input takes in a record besides its own bytes. */
export const inputOverhead = INPUT_BYTES
/** What is left of a record for inputs. */
export const recordRoom = recordBytes - ENVELOPE_BYTES - HEADER_BYTES

/** A record's body with the place of its digest left empty: the digest is made from the rest of it. */
export function encodeBody(time: Milliseconds, inputs: readonly RecordInput[]): Uint8Array {
  let length = HEADER_BYTES
  for (const input of inputs) length += INPUT_BYTES + input.bytes.length
  if (length > HEADER_BYTES + recordRoom) throw new Error(`record of ${length} bytes; at most ${HEADER_BYTES + recordRoom} fit`)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setFloat64(DIGEST_BYTES, time)
  view.setUint32(DIGEST_BYTES + 8, inputs.length)
  let at = HEADER_BYTES
  for (const input of inputs) {
    view.setUint8(at, input.tag)
    view.setUint32(at + 1, input.bytes.length)
    bytes.set(input.bytes, at + INPUT_BYTES)
    at += INPUT_BYTES + input.bytes.length
  }
  return bytes
}

/** What the digest is made from: everything but itself. */
export const digestedPart = (body: Uint8Array): Uint8Array => body.subarray(DIGEST_BYTES)

/** @throws Error where the bytes are not one whole body */
export function decodeBody(bytes: Uint8Array): RecordBody {
  if (bytes.length < HEADER_BYTES) throw new Error('it is torn')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = view.getUint32(DIGEST_BYTES + 8)
  const inputs: RecordInput[] = []
  let at = HEADER_BYTES
  for (let i = 0; i < count; i++) {
    const start = at + INPUT_BYTES
    if (start > bytes.length) throw new Error('it is torn')
    const tag = view.getUint8(at)
    at = start + view.getUint32(start - 4)
    if (at > bytes.length) throw new Error('it is torn')
    if (tag < inputTag.client || tag > inputTag.local) throw new Error(`it has an input of unknown kind ${tag}`)
    inputs.push({ tag: tag as InputTag, bytes: bytes.subarray(start, at) })
  }
  if (at !== bytes.length) throw new Error('it has bytes after its end')
  return { digest: bytes.subarray(0, DIGEST_BYTES), time: view.getFloat64(DIGEST_BYTES) as Milliseconds, inputs }
}
