import { crypto_sign_verify_detached } from 'sodium-native'

export interface Check {
  readonly key: Uint8Array
  /** base64 */
  readonly signature: string
  /** hex */
  readonly digest: string
}

export default (checks: readonly Check[]): readonly boolean[] => checks.map(({ key, signature, digest }) => crypto_sign_verify_detached(Buffer.from(signature, 'base64'), Buffer.from(digest, 'hex'), Buffer.from(key)))
