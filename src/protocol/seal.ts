import type { AccountId } from './identity.ts'

// How a sealed message looks on NATS: what a venue's feeds, and a trader's requests and their answers, are where nats-server is not to read them. AES-256-GCM, whose key is derived with
// HKDF-SHA256 from the account's feed key, a salt and what the message is for.

/** First byte. JSON begins with another one. */
export const sealForm = { feed: 1, request: 2, answer: 3 } as const
export type SealForm = (typeof sealForm)[keyof typeof sealForm]

export const SALT_BYTES = 16
export const TAG_BYTES = 16
const versionAt = 1
const saltAt = versionAt + 4
const seqAt = saltAt + SALT_BYTES
/** form · version of the key u32 · salt · number u64, all big-endian. */
export const SEAL_HEADING_BYTES = seqAt + 8
/** Texts are filled up with spaces to a multiple of this, so that their length does not tell a fill from an order, or how long a price is. */
const PADDED_BYTES = 1_024

export interface SealHeading {
  readonly form: SealForm
  /** Of the account's feed key. */
  readonly version: number
  /** Of the writer, for a feed; otherwise drawn for this message alone. */
  readonly salt: Uint8Array
  /** Number in the feed: the nonce. 0 where the salt is used once. */
  readonly seq: number
}

/** Whom and what a message is for: part of its key, and of what is authenticated. */
export interface SealContext {
  readonly venue: string
  readonly account: AccountId
  /** Of a request and its answer. */
  readonly operation?: string
  /** Of an answer: the salt of the request. */
  readonly asked?: Uint8Array
}

export function writeSealHeading({ form, version, salt, seq }: SealHeading): Uint8Array {
  const bytes = new Uint8Array(SEAL_HEADING_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, form)
  view.setUint32(versionAt, version)
  bytes.set(salt, saltAt)
  view.setBigUint64(seqAt, BigInt(seq))
  return bytes
}

/** null where it is no sealed message of that form. */
export function readSealHeading(form: SealForm, bytes: Uint8Array): SealHeading | null {
  if (bytes[0] !== form || bytes.length < SEAL_HEADING_BYTES + TAG_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const seq = view.getBigUint64(seqAt)
  if (seq > BigInt(Number.MAX_SAFE_INTEGER)) return null
  return { form, version: view.getUint32(versionAt), salt: bytes.slice(saltAt, seqAt), seq: Number(seq) }
}

/** Twelve bytes: four zeros and the number. */
export function sealNonce(seq: number): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(4, BigInt(seq))
  return nonce
}

const names = { [sealForm.feed]: 'feed', [sealForm.request]: 'request', [sealForm.answer]: 'answer' } as const

/** HKDF's `info` of a message's key. */
export const sealInfo = (form: SealForm, { venue, account, operation = '' }: SealContext): Uint8Array => new TextEncoder().encode(`darkpool ${names[form]}\0${venue}\0${account}\0${operation}`)

/** What is authenticated besides the text: the heading, whom and what it is for, and of an answer which request it is one to. */
export function sealedWith(heading: Uint8Array, info: Uint8Array, { asked = new Uint8Array(0) }: SealContext): Uint8Array {
  const bytes = new Uint8Array(heading.length + info.length + asked.length)
  bytes.set(heading)
  bytes.set(info, heading.length)
  bytes.set(asked, heading.length + info.length)
  return bytes
}

/** JSON text with as many spaces behind it as hide its length. */
export function padded(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  const filled = new Uint8Array(Math.ceil(bytes.length / PADDED_BYTES) * PADDED_BYTES).fill(0x20)
  filled.set(bytes)
  return filled
}

/** An account's feed keys, as GET /api/v1/feed-key hands them out. */
export interface FeedKeysView {
  /** The version that is used now; null where feeds are not sealed. */
  readonly current: number | null
  /** The newest last; `key` is 32 bytes in base64. */
  readonly keys: readonly { readonly version: number; readonly key: string }[]
  /** Number of the feed's last message, as the account's vault actor says: what NATS does not show of these is withheld, or on its way. */
  readonly seq: number
}
