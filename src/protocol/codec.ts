import { Packr, RESET_BUFFER_MODE } from 'msgpackr'

/** First byte of everything that one part of the venue sends another or writes to a journal. */
export const CODEC_VERSION = 1

// Records name the members of a shape once per packet, so a packet of a hundred orders carries the names once. Amounts can exceed
// 64 bits, hence the bigint extension. Nothing is shared between packets: each can be read alone, for ever.
const packr = new Packr({ useRecords: true, moreTypes: true, useBigIntExtension: true })

export function encode(value: unknown): Uint8Array {
  // Copied before anything else is packed, so the library can write all of it to one buffer.
  const body = packr.pack(value, RESET_BUFFER_MODE)
  const bytes = new Uint8Array(body.length + 1)
  bytes[0] = CODEC_VERSION
  bytes.set(body, 1)
  return bytes
}

/** @throws Error where the bytes are of another version or not of this codec */
export function decode<T>(bytes: Uint8Array): T {
  if (bytes[0] !== CODEC_VERSION) throw new Error(`codec version ${bytes[0] ?? 'missing'} instead of ${CODEC_VERSION}`)
  return packr.unpack(bytes.subarray(1)) as T
}
