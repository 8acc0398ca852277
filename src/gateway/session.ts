import jwt from '@fastify/jwt'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { Refusal } from '../protocol/errors.ts'
import type { AccountId } from '../protocol/identity.ts'
import { HttpCaller } from './httpCaller.ts'
import type { Policy } from './limits/policy.ts'
import type { Venue } from '../protocol/venue.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** @returns a token for an account that proved its key in the challenge with this id */
    issueToken: (account: AccountId, challenge: string) => string
    /** Hook of routes that read: puts the token's account on the request. @throws Refusal token_missing, token_invalid, rate_exceeded */
    authenticate: (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void
  }
  interface FastifyRequest {
    account: AccountId
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub: string; jti: string }
    user: { sub: string }
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

/** Short-lived tokens (JWT, HS256 and nothing else) that a SEP-10 login gives and the routes that read ask for. */
export const session = plugin<{ venue: Venue; secret: Uint8Array; reads: Policy }>((app, { venue, secret, reads }, done) => {
  const iss = issuerOf(venue)
  const aud = audienceOf(venue)
  void app.register(jwt, {
    secret: Buffer.from(secret),
    // A bare number would be seconds to this plugin and milliseconds to the library beneath it.
    sign: { algorithm: 'HS256', iss, aud, expiresIn: `${venue.file.gateway.tokenLifetime_s}s` },
    verify: { algorithms: ['HS256'], allowedIss: iss, allowedAud: aud, requiredClaims: ['sub', 'iat', 'exp', 'iss', 'aud'], cache: 10_000 },
  })
  app.decorateRequest('account', '' as AccountId)
  app.decorate('issueToken', (account: AccountId, challenge: string) => app.jwt.sign({ sub: account, jti: challenge }))
  app.decorate('authenticate', (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void) => {
    try {
      request.account = accountOf(app, request.headers.authorization)
      reads.take(request.account, new HttpCaller(reply))
      next()
    } catch (error) {
      next(error as Error)
    }
  })
  done()
}, { name: 'session' })

function accountOf(app: FastifyInstance, authorization: string | undefined): AccountId {
  if (authorization === undefined) throw new Refusal('token_missing')
  const token = bearer.exec(authorization)?.[1]
  if (token === undefined) throw new Refusal('token_invalid')
  try {
    return app.jwt.verify<{ sub: string }>(token).sub as AccountId
  } catch {
    // Which check it failed is of use only to somebody who forges tokens.
    throw new Refusal('token_invalid')
  }
}
