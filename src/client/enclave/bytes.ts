/** Bytes of their own memory, which WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>

export function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}

export function joined(...parts: readonly Uint8Array[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export function zero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
