import { crypto_sign_verify_detached } from 'sodium-native'
import { StrKey } from '@stellar/stellar-sdk/base'
import { Value } from 'typebox/value'
import { isAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { messageId } from '../../protocol/messages/messageId.ts'
import { readMessage, SignedRequest } from '../../protocol/messages/message.ts'
import { addressOf, decodeNkey } from '../../protocol/nkey.ts'
import { OPERATOR_USER } from '../../protocol/subjects.ts'
import type { OperatorRight } from '../../protocol/operator.ts'
import type { KeyScope } from '../../protocol/vault.ts'
import type { Binding } from '../binding.ts'
import type { Admitted } from './permit.ts'

/** What a connection says of itself, as nats-server hands it on: text of strangers. */
export interface Caller {
  readonly nkey?: unknown
  /** Signature over the server's nonce, which nobody has checked. */
  readonly sig?: unknown
  readonly nonce?: unknown
  readonly user?: unknown
  readonly token?: unknown
}

/** What a delegated key may do for an account now, and until when (Unix seconds); null where nothing. @throws Refusal where nobody can say */
export type KeyRights = (account: AccountId, key: AccountId) => Promise<{ readonly scope: KeyScope; readonly until: number } | null>

/** Who may be there at all, and what of that the accounts' vault actors say. */
export interface Invited {
  /** Whether traders are let in. */
  readonly traders: boolean
  readonly operators: ReadonlyMap<AccountId, OperatorRight>
  readonly rights: KeyRights
}

const SIGNATURE_BYTES = 64

/**
 * Decides who may connect to NATS from outside. Everybody proves a key by signing the server's nonce. That key is the account's own; or one that `user`'s account has
 * delegated, which the account's vault actor knows; or a temporary one, named by a statement that the account has signed (`auth_token`). Or it is an operator's, whose
 * `user` says so: then the venue file names it.
 */
export class Doorkeeper {
  readonly #binding: Binding
  readonly #invited: Invited

  constructor(binding: Binding, invited: Invited) {
    this.#binding = binding
    this.#invited = invited
  }

  /** @throws Refusal signature_invalid, signer_not_allowed, account_unavailable, and what a statement is refused with */
  async admit({ nkey, sig, nonce, user, token }: Caller, now_ms: number): Promise<Admitted> {
    const raw = typeof nkey === 'string' ? decodeNkey('user', nkey) : undefined
    if (raw === undefined || typeof nonce !== 'string' || nonce === '' || typeof sig !== 'string' || !fits(raw, bytesOf(sig), Buffer.from(nonce))) throw new Refusal('signature_invalid')
    const key = addressOf(nkey as string)
    const longest = Math.floor(now_ms / 1_000) + limits.natsSession_s
    const { traders, operators, rights } = this.#invited
    if (user === OPERATOR_USER) {
      const may = operators.get(key)
      if (may === undefined) throw new Refusal('signer_not_allowed')
      return { key, may, right: 'operator', until: longest }
    }
    if (!traders) throw new Refusal('signer_not_allowed')
    if (isGiven(token)) return this.#byStatement(token, key, now_ms, longest)
    if (!isGiven(user) || user === key || user === nkey) return { account: key, key, scope: 'trade', right: 'account', until: longest }
    if (!isAddress(user)) throw new Refusal('signer_not_allowed')
    const account = user as AccountId
    const right = await rights(account, key)
    if (right === null || right.until <= Math.floor(now_ms / 1_000)) throw new Refusal('signer_not_allowed')
    return { account, key, scope: right.scope, right: 'delegate', until: Math.min(right.until, longest) }
  }

  #byStatement(token: string, key: AccountId, now_ms: number, longest: number): Admitted {
    const request = parsed(token)
    if (!Value.Check(SignedRequest, request)) throw new Refusal('request_malformed')
    const message = readMessage('session', request.message)
    const expires = this.#binding.check(message, null, now_ms)
    if (expires > longest) throw new Refusal('expiry_too_far')
    const account = message.account as AccountId
    // A delegated key connects by itself, and a contract account has no key: only the account's own signs statements.
    if (!StrKey.isValidEd25519PublicKey(account) || (request.signer ?? account) !== account || message.key !== key) throw new Refusal('signer_not_allowed')
    const own = Uint8Array.from(StrKey.decodeEd25519PublicKey(account))
    if (!fits(own, Buffer.from(request.signature, 'base64'), Buffer.from(messageId(request.message), 'hex'))) throw new Refusal('signature_invalid')
    return { account, key, scope: message.scope, right: 'statement', until: expires }
  }
}

const isGiven = (text: unknown): text is string => typeof text === 'string' && text !== ''

/** Stock clients write signatures in base64url without padding; plain base64 is read as well, as nats-server does. */
const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64url')

const fits = (key: Uint8Array, signature: Buffer, signed: Buffer): boolean => signature.length === SIGNATURE_BYTES && crypto_sign_verify_detached(signature, signed, Buffer.from(key))

function parsed(token: string): unknown {
  try {
    return JSON.parse(token)
  } catch {
    throw new Refusal('request_malformed')
  }
}
