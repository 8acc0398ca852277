import { crypto_sign_verify_detached } from 'sodium-native'
import { CHECK_BYTES, KEY_BYTES, SIGNATURE_BYTES } from './packing.ts'

/**
 * Runs in a thread of the signature pool: checks packed ed25519 signatures and answers one bit each, the first in the lowest bit of the
 * first byte.
 */
export default function verify(packed: Uint8Array): Uint8Array {
  if (packed.length === 0 || packed.length % CHECK_BYTES !== 0) throw new Error(`${packed.length} bytes are not whole checks`)
  const checks = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  const valid = new Uint8Array(Math.ceil(checks.length / CHECK_BYTES / 8))
  for (let start = 0, i = 0; start < checks.length; start += CHECK_BYTES, i++) {
    const signatureAt = start + KEY_BYTES
    const digestAt = signatureAt + SIGNATURE_BYTES
    const fits = crypto_sign_verify_detached(
      checks.subarray(signatureAt, digestAt),
      checks.subarray(digestAt, start + CHECK_BYTES),
      checks.subarray(start, signatureAt),
    )
    if (fits) valid[i >> 3] = valid[i >> 3]! | (1 << (i & 7))
  }
  return valid
}
