import type { ErrorCode } from '../../protocol/errors.ts'
import type { Action } from '../../protocol/messages/message.ts'

declare module 'fastify' {
  interface FastifySchema {
    /** What the route does, in one line. */
    readonly summary?: string
    /** What the route can refuse with, besides what every route of its kind can: see `codesOf`. */
    readonly codes?: readonly ErrorCode[]
    /** The action of the signed message that the body carries. */
    readonly action?: Action
    /** It only takes orders back, though no single action says so. */
    readonly cancels?: boolean
    /** It reads what has happened to the account, rather than asking the account's keeper. */
    readonly history?: boolean
    /** Media type of a good answer that is not JSON. */
    readonly produces?: string
  }
}

/** How a caller shows who it is: by nothing, by a token (which may be for what has happened), or by a signed message. */
export type Proof = 'none' | 'token' | 'history' | 'signature'

/** What any request can come to. */
const every: readonly ErrorCode[] = ['request_malformed', 'request_too_large', 'rate_exceeded']
/** What any request with a body can. */
const body: readonly ErrorCode[] = ['media_type_unsupported']
/** What needs a part of the venue behind the gateway can find none, or too much before it. */
const served: readonly ErrorCode[] = ['venue_not_ready', 'venue_overloaded', 'internal_error']
const byProof: Readonly<Record<Proof, readonly ErrorCode[]>> = {
  none: [],
  token: ['token_missing', 'token_invalid', 'account_unavailable', ...served],
  history: ['token_missing', 'token_invalid', 'account_unavailable', 'history_unavailable', ...served],
  signature: [
    'message_malformed', 'action_unsupported', 'signature_invalid', 'signer_not_allowed', 'network_mismatch', 'vault_mismatch', 'message_expired', 'expiry_too_far',
    'message_reused', 'account_unavailable', 'outcome_unknown', ...served,
  ],
}

/** Every code that a route can answer with, in no order. */
export function codesOf(proof: Proof, hasBody: boolean, own: readonly ErrorCode[]): ReadonlySet<ErrorCode> {
  return new Set([...every, ...(hasBody ? body : []), ...byProof[proof], ...own])
}
