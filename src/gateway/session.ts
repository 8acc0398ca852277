import jwt from '@fastify/jwt'
import type { FastifyJWTOptions, JWT } from '@fastify/jwt'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { Refusal } from '../protocol/errors.ts'
import type { AccountId, Seconds } from '../protocol/identity.ts'
import { HttpCaller } from './httpCaller.ts'
import type { Policy } from './limits/policy.ts'
import type { KeyAccess } from './login/keyAccess.ts'
import type { TokenClaims } from './streams/logins.ts'
import type { Venue } from '../protocol/venue.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * @param challenge the id of the challenge in which a key was proved: the account's own, or the delegated one
     * @returns a token that reads the account, no longer than the key may
     */
    issueToken: (account: AccountId, challenge: string, delegated?: { readonly key: AccountId; readonly until: Seconds }) => string
    /** What a token says. @throws Refusal token_invalid */
    readToken: (token: string) => TokenClaims
    /** Hook of routes that read: puts the token's account on the request. @throws Refusal token_missing, token_invalid, rate_exceeded; of a delegated key also account_unavailable */
    authenticate: (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void
  }
  interface FastifyRequest {
    account: AccountId
    /** The key that logged in: the account's own, or a delegated one. */
    reader: AccountId
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub: string; jti: string; key?: string }
    user: { sub: string; key?: string }
  }
}

const bearer = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i

/** Who may use a token: one gateway key for one venue on one vault. */
export const issuerOf = (venue: Venue): string => `${webOrigin(venue.file.gateway.homeDomain)}/auth`
export const audienceOf = (venue: Venue): string => `${venue.file.venue}:${venue.file.vault.contract}`

/** Only a home domain of this very machine may do without TLS. */
export function webOrigin(homeDomain: string): string {
  const local = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(homeDomain)
  return `${local ? 'http' : 'https'}://${homeDomain}`
}

/**
 * Short-lived tokens (JWT, HS256 and nothing else) that a SEP-10 login gives and the routes that read ask for. The token of a delegated key names the key, and is worth
 * what that key may do when it is shown.
 */
export const session = plugin<{ venue: Venue; secrets: readonly Uint8Array[]; reads: Policy; access: KeyAccess }>((app, { venue, secrets, reads, access }, done) => {
  const iss = issuerOf(venue)
  const aud = audienceOf(venue)
  const lifetime_s = venue.file.gateway.tokenLifetime_s
  const terms: Pick<FastifyJWTOptions, 'sign' | 'verify'> = {
    // A bare number would be seconds to this plugin and milliseconds to the library beneath it.
    sign: { algorithm: 'HS256', iss, aud, expiresIn: `${lifetime_s}s` },
    verify: { algorithms: ['HS256'], allowedIss: iss, allowedAud: aud, requiredClaims: ['sub', 'iat', 'exp', 'iss', 'aud'], cache: 10_000 },
  }
  const [current, ...others] = secrets.map((secret) => Buffer.from(secret))
  if (current === undefined) throw new Error('there is no secret of session tokens')
  void app.register(jwt, { ...terms, secret: current })
  const namespaces = others.map((_, n) => `other${n}`)
  for (const [n, secret] of others.entries()) void app.register(jwt, { ...terms, secret, namespace: namespaces[n]! })
  // They are there once the plugin is.
  let readers: readonly JWT[] | undefined
  const readToken = (token: string): TokenClaims => {
    readers ??= [app.jwt, ...namespaces.map((name) => (app.jwt as unknown as Readonly<Record<string, JWT>>)[name]!)]
    for (const reader of readers) {
      try {
        return reader.verify<TokenClaims>(token)
      } catch {
        // Another version may have signed it.
      }
    }
    // Which check it failed is of use only to somebody who forges tokens.
    throw new Refusal('token_invalid')
  }
  app.decorateRequest('account', '' as AccountId)
  app.decorateRequest('reader', '' as AccountId)
  app.decorate('issueToken', (account: AccountId, challenge: string, delegated?: { readonly key: AccountId; readonly until: Seconds }) => {
    if (delegated === undefined) return app.jwt.sign({ sub: account, jti: challenge })
    const left_s = Math.min(lifetime_s, delegated.until - Math.ceil(Date.now() / 1000))
    if (left_s < 1) throw new Refusal('signer_not_allowed')
    return app.jwt.sign({ sub: account, jti: challenge, key: delegated.key }, { expiresIn: `${left_s}s` })
  })
  app.decorate('readToken', readToken)
  app.decorate('authenticate', (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void) => {
    try {
      const { sub, key } = claimsOf(readToken, request.headers.authorization)
      request.account = sub as AccountId
      request.reader = (key ?? sub) as AccountId
      // Nobody uses up what is another's: neither a key what is the account's.
      reads.take(request.reader, new HttpCaller(reply))
      if (key === undefined) return next()
      access.check(request.account, key as AccountId).then(
        () => next(),
        (error: unknown) => next(error instanceof Refusal && error.code === 'signer_not_allowed' ? new Refusal('token_invalid') : (error as Error)),
      )
    } catch (error) {
      next(error as Error)
    }
  })
  done()
}, { name: 'session' })

function claimsOf(readToken: FastifyInstance['readToken'], authorization: string | undefined): TokenClaims {
  if (authorization === undefined) throw new Refusal('token_missing')
  const token = bearer.exec(authorization)?.[1]
  if (token === undefined) throw new Refusal('token_invalid')
  return readToken(token)
}
