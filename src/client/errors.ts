import type { ErrorCode } from '../protocol/errors.ts'
import type { AmendView, CancelView } from './views/orders.ts'

/** The request never left this machine, or nobody was there to take it: nothing can have happened. */
export class NeverSent extends Error {
  constructor(cause: unknown) {
    super('The request was never sent: the gateway cannot be reached.', { cause })
    this.name = 'NeverSent'
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

  constructor(problem: { code: ErrorCode; title: string; status: number; detail?: string; requestId: string; order?: CancelView | AmendView }) {
    super(problem.detail === undefined ? problem.title : `${problem.title} (${problem.detail})`)
    this.name = 'Refused'
    this.code = problem.code
    this.status = problem.status
    this.detail = problem.detail
    this.requestId = problem.requestId
    this.order = problem.order
  }
}

/** The request was sent and no answer says what came of it. Sending the very same message again is safe: it takes effect at most once. */
export class OutcomeUnknown extends Error {
  constructor(cause: unknown) {
    super('The request was sent, and its outcome is not known. Send the same message again: it takes effect only once.', { cause })
    this.name = 'OutcomeUnknown'
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
