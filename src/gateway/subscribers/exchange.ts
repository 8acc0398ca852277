import { crypto_box_easy, crypto_box_open_easy } from 'sodium-native'
import { randomBytes } from 'node:crypto'
import { decodeNkey } from '../../protocol/nkey.ts'

const VERSION = Buffer.from('xkv1')
const NONCE_BYTES = 24
const MAC_BYTES = 16
const headBytes = VERSION.length + NONCE_BYTES

/** Opens what nats-server encrypted (NaCl box behind a version and a nonce); undefined where it was not from that sender for this key. @param sender X… */
export function open(sealed: Uint8Array, sender: string, secret: Uint8Array): Uint8Array | undefined {
  const from = decodeNkey('exchange', sender)
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length)
  if (from === undefined || bytes.length < headBytes + MAC_BYTES || !bytes.subarray(0, VERSION.length).equals(VERSION)) return undefined
  const text = Buffer.alloc(bytes.length - headBytes - MAC_BYTES)
  return crypto_box_open_easy(text, bytes.subarray(headBytes), bytes.subarray(VERSION.length, headBytes), Buffer.from(from), Buffer.from(secret)) ? text : undefined
}

/** @param recipient X… @throws Error where that is no such key */
export function seal(text: string, recipient: string, secret: Uint8Array): Uint8Array {
  const to = decodeNkey('exchange', recipient)
  if (to === undefined) throw new Error('that is no exchange key')
  const clear = Buffer.from(text)
  const sealed = Buffer.alloc(headBytes + clear.length + MAC_BYTES)
  VERSION.copy(sealed)
  const nonce = randomBytes(NONCE_BYTES)
  nonce.copy(sealed, VERSION.length)
  crypto_box_easy(sealed.subarray(headBytes), clear, nonce, Buffer.from(to), Buffer.from(secret))
  return sealed
}
