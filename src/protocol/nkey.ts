import type { AccountId } from './identity.ts'

// NATS and Stellar write an ed25519 key in the same way, base32 of prefix ‖ 32 bytes ‖ CRC16, and differ in the prefix alone. So a trader's Stellar key is
// a NATS user as it is.

/** First byte of each kind of key, and with it the letter that its text begins with. */
export const nkeyPrefixes = { user: 20 << 3, account: 0, exchange: 23 << 3, server: 13 << 3, stellar: 6 << 3 } as const
export type NkeyKind = keyof typeof nkeyPrefixes

const KEY_BYTES = 32
const TEXT_LENGTH = 56
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** A seed of NATS has two bytes in front: S, and whose seed it is; Stellar's has one. */
const SEED_PREFIX = 18 << 3

/** @param key 32 bytes */
export function encodeNkey(kind: NkeyKind, key: Uint8Array): string {
  if (key.length !== KEY_BYTES) throw new Error(`a key has ${KEY_BYTES} bytes`)
  return checked(Uint8Array.of(nkeyPrefixes[kind], ...key))
}

/** The 32 bytes of a key; undefined for what is no key of that kind, or has a wrong checksum. */
export function decodeNkey(kind: NkeyKind, text: string): Uint8Array | undefined {
  if (text.length !== TEXT_LENGTH) return undefined
  const bytes = fromBase32(text)
  if (bytes === undefined || bytes[0] !== nkeyPrefixes[kind]) return undefined
  const end = bytes.length - 2
  return crc16(bytes.subarray(0, end)) === bytes[end]! + bytes[end + 1]! * 256 ? bytes.slice(1, end) : undefined
}

/** U… of a G… address, and back. @throws Error where it is none */
export const nkeyOf = (address: string): string => encodeNkey('user', required('stellar', address))
export const addressOf = (nkey: string): AccountId => encodeNkey('stellar', required('user', nkey)) as AccountId

/** The seed (SU…) of a NATS user with these 32 bytes, as stock clients take it. */
export function encodeUserSeed(seed: Uint8Array): string {
  return checked(Uint8Array.of(SEED_PREFIX | (nkeyPrefixes.user >> 5), (nkeyPrefixes.user & 31) << 3, ...seed))
}

function required(kind: NkeyKind, text: string): Uint8Array {
  const key = decodeNkey(kind, text)
  if (key === undefined) throw new Error(`that is no ${kind} key`)
  return key
}

function checked(bytes: Uint8Array): string {
  const sum = crc16(bytes)
  return toBase32(Uint8Array.of(...bytes, sum & 255, sum >> 8))
}

/** CRC16-XMODEM: polynomial 0x1021, from zero. */
function crc16(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) {
    sum ^= byte << 8
    for (let bit = 0; bit < 8; bit++) sum = ((sum << 1) ^ (sum & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return sum
}

function toBase32(bytes: Uint8Array): string {
  let text = ''
  let [held, bits] = [0, 0]
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31]
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text
}

/** Of texts that are whole bytes. */
function fromBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array((text.length * 5) >> 3)
  let [held, bits, at] = [0, 0, 0]
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter)
    if (value < 0) return undefined
    held = (held << 5) | value
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = held >> bits
    held &= (1 << bits) - 1
  }
  return bytes
}
