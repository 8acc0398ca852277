import { toHex } from '../../protocol/hex.ts'
import { joined } from './bytes.ts'
import type { Bytes } from './bytes.ts'

// ECDSA on P-256 with SHA-256, which everything of Intel's is signed with. By WebCrypto: the same in Node and in browsers.

const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const
const algorithm = { name: 'ECDSA', hash: 'SHA-256' } as const
/** DER of a SubjectPublicKeyInfo on P-256, up to the point. */
const SPKI_HEADING = '3059301306072a8648ce3d020106082a8648ce3d03010703420004'

/** @param key DER SubjectPublicKeyInfo @param signature r ‖ s @throws Error where the key is none on P-256 */
export async function signedBy(key: Bytes, signed: Bytes, signature: Bytes): Promise<boolean> {
  if (!isP256(key)) throw new Error('the key is not an uncompressed one on P-256')
  return crypto.subtle.verify(algorithm, await crypto.subtle.importKey('spki', key, curve, false, ['verify']), signature, signed)
}

/** @param point x ‖ y */
export function keyOf(point: Bytes): Bytes {
  return joined(Uint8Array.from(SPKI_HEADING.match(/../g)!, (pair) => Number.parseInt(pair, 16)), point)
}

function isP256(key: Bytes): boolean {
  return key.length === SPKI_HEADING.length / 2 + 64 && toHex(key.subarray(0, SPKI_HEADING.length / 2)) === SPKI_HEADING
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}
