import { createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1'
import { keccak_256 } from '@noble/hashes/sha3'

/** What dstack's key management service and guest agent derive keys with. */
const SALT = 'RATLS'
const KEY_BYTES = 32
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const ED25519_SPKI_HEADING = 12

export type KeyAlgorithm = 'ed25519' | 'secp256k1'

const derive = (key: Uint8Array, info: Uint8Array): Uint8Array => new Uint8Array(hkdfSync('sha256', key, SALT, info, KEY_BYTES))

/** The keys of one app: as dstack derives them from the root key of its key management service, and with the signatures that say so. */
export class KeyChain {
  readonly #root: Uint8Array
  readonly #appId: Uint8Array
  readonly #app: Uint8Array

  constructor(root: Uint8Array, appId: Uint8Array) {
    this.#root = root
    this.#appId = appId
    this.#app = derive(root, Buffer.concat([appId, Buffer.from('app-key')]))
  }

  /** Compressed secp256k1 public key of the root: what names the key management service. */
  get rootPublicKey(): Uint8Array {
    return secp256k1.getPublicKey(this.#root, true)
  }

  key(path: string): Uint8Array {
    return derive(this.#app, Buffer.from(path))
  }

  /** The app key's signature over purpose and public key, and the root's over app id and app key: 65 bytes each, the last says which of the keys that fit. */
  signatures(path: string, purpose: string, algorithm: KeyAlgorithm): readonly [Uint8Array, Uint8Array] {
    const publicKey = Buffer.from(publicKeyOf(this.key(path), algorithm)).toString('hex')
    const issued = Buffer.concat([Buffer.from('dstack-kms-issued:'), this.#appId, secp256k1.getPublicKey(this.#app, true)])
    return [signRecoverable(Buffer.from(`${purpose}:${publicKey}`), this.#app), signRecoverable(issued, this.#root)]
  }
}

function publicKeyOf(key: Uint8Array, algorithm: KeyAlgorithm): Uint8Array {
  if (algorithm === 'secp256k1') return secp256k1.getPublicKey(key, true)
  const secret = createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, key]), format: 'der', type: 'pkcs8' })
  return createPublicKey(secret).export({ type: 'spki', format: 'der' }).subarray(ED25519_SPKI_HEADING)
}

function signRecoverable(message: Uint8Array, key: Uint8Array): Uint8Array {
  const signature = secp256k1.sign(keccak_256(message), key)
  return Buffer.concat([signature.toCompactRawBytes(), Buffer.from([signature.recovery])])
}
