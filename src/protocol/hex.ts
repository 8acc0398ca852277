/** A character's digit, by its code; NaN for what is none. */
const digits = Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  return /[0-9a-f]/.test(character) ? Number.parseInt(character, 16) : NaN
})

/** Bytes of their own memory, which WebCrypto takes. @throws RangeError where the text is no lower-case hex of whole bytes: what the venue writes has one spelling */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(text.length / 2))
  for (let at = 0; at < bytes.length; at++) {
    const byte = (digits[text.charCodeAt(2 * at)] ?? NaN) * 16 + (digits[text.charCodeAt(2 * at + 1)] ?? NaN)
    if (Number.isNaN(byte)) throw new RangeError('bytes that are not hex')
    bytes[at] = byte
  }
  return bytes
}

/** The same of what others write. */
export const fromAnyHex = (text: string): Uint8Array<ArrayBuffer> => fromHex(text.toLowerCase())

/** In lower case, as everything here is written. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}
