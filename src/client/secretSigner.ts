import { createPrivateKey, hash, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Keypair, StrKey, TransactionBuilder } from '@stellar/stellar-sdk/base'
import type { Signer } from './signer.ts'

/** PKCS #8 of an ed25519 key (RFC 8410) up to the seed itself. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Signs with a Stellar secret key, in microseconds, in Node: the SDK's own signing takes milliseconds. */
export class SecretSigner implements Signer {
  readonly address: string
  readonly #key: KeyObject
  readonly #seed: Buffer

  /** @param secret S… @throws Error that does not quote it */
  constructor(secret: string) {
    if (!StrKey.isValidEd25519SecretSeed(secret)) throw new Error('that is no Stellar secret key (S…, 56 characters)')
    this.#seed = Buffer.from(StrKey.decodeEd25519SecretSeed(secret))
    this.#key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, this.#seed]), format: 'der', type: 'pkcs8' })
    this.address = Keypair.fromRawEd25519Seed(this.#seed).publicKey()
  }

  signMessage(text: string): string {
    return sign(null, hash('sha256', `Stellar Signed Message:\n${text}`, 'buffer'), this.#key).toString('base64')
  }

  signTransaction(transaction: string, passphrase: string): string {
    const parsed = TransactionBuilder.fromXDR(transaction, passphrase)
    parsed.sign(Keypair.fromRawEd25519Seed(this.#seed))
    return parsed.toXDR()
  }
}
