import type { ErrorCode } from '../protocol/errors.ts'
import type { SignedRequest } from './messages.ts'
import type { AmendView, CancelView } from './views/orders.ts'

/** The request never left this machine, or nobody was there to take it: nothing can have happened. */
export class NeverSent extends Error {
  /** The signed message, where it was one: it can be sent with `send…` of the client as it is. */
  readonly request: SignedRequest | undefined
  /** Whether it may get through in a moment; not where a name or a certificate is wrong. */
  readonly passing: boolean

  constructor(cause: unknown, { request, passing = true }: { request?: SignedRequest | undefined; passing?: boolean } = {}) {
    super('The request was never sent: the gateway cannot be reached.', { cause })
    this.name = 'NeverSent'
    this.request = request
    this.passing = passing
  }
}

/** The venue has not shown evidence that the caller's `verify` accepts, or none at all: nothing was sent to it. `cause` is what `verify` threw, or what the venue answered. */
export class NotVerified extends NeverSent {
  constructor(cause: unknown, options: { request?: SignedRequest | undefined } = {}) {
    super(cause, { ...options, passing: false })
    this.message = 'The request was never sent: the venue has not shown evidence that is accepted.'
    this.name = 'NotVerified'
  }
}

/** The connection over which it was asked may not do that: its key may only read, say. The server between has passed nothing on, and will not. */
export class NotPermitted extends NeverSent {
  constructor(cause: unknown, options: { request?: SignedRequest | undefined } = {}) {
    super(cause, { ...options, passing: false })
    this.message = 'The request was never sent: the key that the connection shows may not do that.'
    this.name = 'NotPermitted'
  }
}

/** The Stellar RPC cannot be reached, or does not answer as one does. */
export class ChainAway extends NeverSent {
  constructor(cause: unknown) {
    super(cause)
    this.message = 'The Stellar RPC does not answer.'
    this.name = 'ChainAway'
  }
}

/** The venue said no, and why: nothing happened. `code` is stable (docs/api/errors.md lists them all). */
export class Refused extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly detail: string | undefined
  readonly requestId: string
  /** Where a cancel or an amend was refused for what had become of its order: the order as it was found. */
  readonly order: CancelView | AmendView | undefined
  /** How long the venue asks to wait, where it does. */
  readonly retryAfter_ms: number | undefined

  constructor(problem: { code: ErrorCode; title: string; status: number; detail?: string; requestId: string; order?: CancelView | AmendView }, retryAfter_ms?: number) {
    super(problem.detail === undefined ? problem.title : `${problem.title} (${problem.detail})`)
    this.name = 'Refused'
    this.code = problem.code
    this.status = problem.status
    this.detail = problem.detail
    this.requestId = problem.requestId
    this.order = problem.order
    this.retryAfter_ms = retryAfter_ms
  }
}

/**
 * The request was sent and no answer says what came of it. Sending the very same message again is safe: it takes effect at most once. `cause` is what was heard
 * last: where that is a Refused, this copy was refused, but an earlier one may have reached the venue or be on its way still.
 */
export class OutcomeUnknown extends Error {
  /** The signed message, where it was one: to be sent with `send…` of the client as it is. */
  readonly request: SignedRequest | undefined
  readonly retryAfter_ms: number | undefined

  constructor(cause: unknown, { request, retryAfter_ms }: { request?: SignedRequest | undefined; retryAfter_ms?: number | undefined } = {}) {
    super('The request was sent, and its outcome is not known. Send the same again: a message takes effect only once.', { cause })
    this.name = 'OutcomeUnknown'
    this.request = request
    this.retryAfter_ms = retryAfter_ms
  }
}

/** The chain did not do it: nothing moved. `code` is the network's, or `contract error N` (docs/contract.md). */
export class ChainRefused extends Error {
  readonly code: string

  constructor(code: string) {
    super(`Stellar refused the transaction: ${code}.`)
    this.name = 'ChainRefused'
    this.code = code
  }
}
