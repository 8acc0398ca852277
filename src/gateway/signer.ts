import { StrKey } from '@stellar/stellar-sdk/base'
import { Refusal } from '../protocol/errors.ts'
import type { AccountId } from '../protocol/identity.ts'
import type { KeyCache } from './signatures/keyCache.ts'

/** The key that must have signed: the named one, or the account's own. A contract account has none of its own. @throws Refusal message_malformed, signature_invalid */
export function signerOf(keys: KeyCache, account: AccountId, named: string | undefined): { readonly signer: AccountId; readonly key: Uint8Array } {
  const own = account.startsWith('G')
  if (!own && !StrKey.isValidContract(account)) throw new Refusal('message_malformed', 'account')
  if (own && named !== undefined && keys.publicKey(account) === undefined) throw new Refusal('message_malformed', 'account')
  if (!own && named === undefined) throw new Refusal('signature_invalid', 'a contract account needs a signer')
  const signer = (named ?? account) as AccountId
  const key = keys.publicKey(signer)
  if (key === undefined) throw named === undefined ? new Refusal('message_malformed', 'account') : new Refusal('signature_invalid')
  return { signer, key }
}
