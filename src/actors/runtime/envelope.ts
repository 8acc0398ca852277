import { crc32 } from 'node:zlib'
import { JournalFault } from './journalFault.ts'

/** First byte of every record and of every piece of a snapshot. A reader refuses what it does not know. */
const ENVELOPE_VERSION = 2

/** How the body follows the heading. The numbers are in journals: never reuse one. */
export const form = { clear: 0, sealed: 1 } as const

/** version u8 · form u8 · epoch u32 · index u64 · part u32, big-endian. */
export const HEADING_BYTES = 18
const CHECKSUM_BYTES = 4

/** What stands readable in front of a body, so that it can be found and put in order without a key. */
export interface Heading {
  readonly epoch: number
  /** Number of the record; of a snapshot, the last record it holds. */
  readonly index: number
  /** Number of a snapshot's piece from 0; 0 for a record. */
  readonly part: number
}

export interface Enveloped {
  readonly heading: Heading
  readonly body: Uint8Array
}

/** The outside of what one actor stores of one kind, its journal's records or its snapshots' pieces. */
export interface Envelope {
  /** What it adds to a body at most, in bytes. */
  readonly overhead: number
  wrap(heading: Heading, body: Uint8Array): Uint8Array
  /** @throws JournalFault where the bytes are not what `wrap` gave */
  unwrap(bytes: Uint8Array): Enveloped
}

export function writeHeading(bytes: Uint8Array, kind: number, { epoch, index, part }: Heading): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setUint8(0, ENVELOPE_VERSION)
  view.setUint8(1, kind)
  view.setUint32(2, epoch)
  view.setBigUint64(6, BigInt(index))
  view.setUint32(14, part)
}

/** @throws JournalFault where the bytes do not begin with a heading of a known version */
export function readHeading(bytes: Uint8Array): { readonly form: number; readonly heading: Heading } {
  if (bytes.length < HEADING_BYTES) throw new JournalFault('torn', null, `${bytes.length} bytes are no record`)
  if (bytes[0] !== ENVELOPE_VERSION) throw new JournalFault('unknown_version', null, `written in form ${bytes[0]}, ${ENVELOPE_VERSION} is known`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { form: view.getUint8(1), heading: { epoch: view.getUint32(2), index: Number(view.getBigUint64(6)), part: view.getUint32(14) } }
}

/** Readable by whoever reads the store; a checksum tells damage by accident. */
export const clearEnvelope: Envelope = {
  overhead: HEADING_BYTES + CHECKSUM_BYTES,

  wrap(heading, body) {
    const bytes = new Uint8Array(HEADING_BYTES + body.length + CHECKSUM_BYTES)
    writeHeading(bytes, form.clear, heading)
    bytes.set(body, HEADING_BYTES)
    const end = bytes.length - CHECKSUM_BYTES
    new DataView(bytes.buffer).setUint32(end, crc32(bytes.subarray(0, end)))
    return bytes
  },

  unwrap(bytes) {
    const { form: found, heading } = readHeading(bytes)
    if (found === form.sealed) throw new JournalFault('sealed', null, 'it is sealed, and no key is given')
    if (found !== form.clear) throw new JournalFault('unknown_version', null, `written in the unknown form ${found}`)
    const end = bytes.length - CHECKSUM_BYTES
    if (end < HEADING_BYTES) throw new JournalFault('torn', null, `${bytes.length} bytes are too few`)
    const sum = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(end)
    if (crc32(bytes.subarray(0, end)) !== sum) throw new JournalFault('damaged', null, 'its checksum does not fit its bytes')
    return { heading, body: bytes.subarray(HEADING_BYTES, end) }
  },
}
