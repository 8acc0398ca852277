import { Refusal } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { messageId } from '../../protocol/messages/messageId.ts'
import { readMessage } from '../../protocol/messages/message.ts'
import type { Gateway } from '../gateway.ts'
import { signerOf } from '../signer.ts'
import type { SignedBody } from '../submission.ts'

/** A signed login expires at most so far ahead: it is made for a connection that stands already. */
const LOGIN_LIFETIME_S = 300

/** Who a connection speaks for, and until when, by the gateway's clock. */
export interface Login {
  readonly account: AccountId
  /** The account's own key, or a delegated one. */
  readonly key: AccountId
  readonly until_ms: number
}

export interface TokenClaims {
  readonly sub: string
  readonly exp: number
  /** The delegated key that logged in. */
  readonly key?: string
}

/** @throws Refusal token_invalid */
export type ReadToken = (token: string) => TokenClaims

/** Decides who may read an account over a stream: by a token, or by a message that is signed for this one connection. */
export class Logins {
  readonly #gateway: Gateway
  readonly #readToken: ReadToken
  readonly #lifetime_ms: number

  constructor(gateway: Gateway, readToken: ReadToken) {
    this.#gateway = gateway
    this.#readToken = readToken
    this.#lifetime_ms = gateway.venue.file.gateway.tokenLifetime_s * 1_000
  }

  /** @throws Refusal */
  async byToken(token: string): Promise<Login> {
    const { sub, exp, key } = this.#readToken(token)
    const account = sub as AccountId
    return this.#withKey({ account, key: (key ?? sub) as AccountId, until_ms: exp * 1_000 })
  }

  /** @param challenge what the gateway greeted the connection with: it must be the message's nonce @throws Refusal */
  async bySignature(body: SignedBody, challenge: string): Promise<Login> {
    const { admission, binding, keys, signatures } = this.#gateway
    const message = readMessage('login', body.message)
    const now = Date.now()
    const expires = binding.check(message, null, now)
    if (expires * 1_000 > now + LOGIN_LIFETIME_S * 1_000) throw new Refusal('expiry_too_far')
    // A login that was made for another connection, or replayed on one: it means nothing here.
    if (message.nonce !== challenge) throw new Refusal('message_malformed', 'nonce')
    const account = message.account as AccountId
    const { signer, key } = signerOf(keys, account, body.signer)
    admission.enter()
    try {
      const valid = await new Promise<boolean>((resolve, reject) => {
        signatures.verify(key, body.signature, messageId(body.message), (fits, broken) => (broken === null ? resolve(fits) : reject(broken)))
      })
      if (!valid) throw new Refusal('signature_invalid')
    } finally {
      admission.leave()
    }
    return this.#withKey({ account, key: signer, until_ms: now + this.#lifetime_ms })
  }

  /** Whether a login is still worth what it was: a delegated key may have been revoked. What cannot be said now is no reason to end it. */
  async stands({ account, key, until_ms }: Login): Promise<boolean> {
    if (Date.now() >= until_ms) return false
    if (key === account) return true
    try {
      await this.#gateway.access.checkNow(account, key)
      return true
    } catch (error) {
      if (error instanceof Refusal) return error.code !== 'signer_not_allowed'
      throw error
    }
  }

  async #withKey(login: Login): Promise<Login> {
    if (login.key === login.account) return login
    const { until } = await this.#gateway.access.checkNow(login.account, login.key)
    return { ...login, until_ms: Math.min(login.until_ms, until * 1_000) }
  }
}
