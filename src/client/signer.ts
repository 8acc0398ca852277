import { hash, Keypair, StrKey, TransactionBuilder } from '@stellar/stellar-sdk/base'

/** Whoever can sign for an address: a secret key here, a wallet that asks its owner elsewhere. Any object of this form will do. */
export interface Signer {
  /** G… address of the key that signs. */
  readonly address: string
  /** SEP-53: base64 signature over sha256("Stellar Signed Message:\n" ‖ text). */
  signMessage(text: string): string | Promise<string>
  /** @param transaction base64 XDR @returns it with one signature more */
  signTransaction(transaction: string, passphrase: string): string | Promise<string>
}

/** Signs with a Stellar secret key wherever JavaScript runs. In Node, SecretSigner does the same a hundred times faster. */
export class KeypairSigner implements Signer {
  readonly address: string
  readonly #keypair: Keypair

  /** @param secret S… @throws Error that does not quote it */
  constructor(secret: string) {
    if (!StrKey.isValidEd25519SecretSeed(secret)) throw new Error('that is no Stellar secret key (S…, 56 characters)')
    this.#keypair = Keypair.fromSecret(secret)
    this.address = this.#keypair.publicKey()
  }

  signMessage(text: string): string {
    const signature = this.#keypair.sign(hash(new TextEncoder().encode(`Stellar Signed Message:\n${text}`)))
    return btoa(String.fromCharCode(...signature))
  }

  signTransaction(transaction: string, passphrase: string): string {
    const parsed = TransactionBuilder.fromXDR(transaction, passphrase)
    parsed.sign(this.#keypair)
    return parsed.toXDR()
  }
}
