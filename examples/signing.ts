// Signs what a darkpool venue takes, with nothing but Node and Stellar's SDK.
import { createHash } from 'node:crypto'
import { Keypair } from '@stellar/stellar-sdk'

/** RFC 8785 of an object whose members are all strings. */
export const canonical = (message: Readonly<Record<string, string>>): string => JSON.stringify(message, Object.keys(message).sort())

/** SEP-53. In hex it is the id of the message. */
export const digest = (message: Readonly<Record<string, string>>): Buffer => createHash('sha256').update(`Stellar Signed Message:\n${canonical(message)}`).digest()

/** The request that carries a message. @param secret S… */
export function signed(message: Readonly<Record<string, string>>, secret: string): { message: object; signature: string; signer?: string } {
  const key = Keypair.fromSecret(secret)
  const signature = Buffer.from(key.sign(digest(message))).toString('base64')
  return { message, signature, ...(key.publicKey() === message.account ? {} : { signer: key.publicKey() }) }
}
