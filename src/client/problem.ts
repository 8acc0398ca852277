import { isErrorCode } from '../protocol/errors.ts'
import type { ErrorCode } from '../protocol/errors.ts'
import { OutcomeUnknown, Refused } from './errors.ts'
import type { AmendView, CancelView } from './views/orders.ts'

/** RFC 9457, as the venue writes it. */
export interface Problem {
  readonly code: ErrorCode
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly requestId: string
  readonly order?: CancelView | AmendView
}

/** Refusals that do not say whether the message took effect. */
const undecided: ReadonlySet<ErrorCode> = new Set(['outcome_unknown', 'internal_error'])

/** A refusal, or an unknown outcome where the refusal does not say whether the message took effect. */
export function problemError(problem: Partial<Problem>, retryAfter_ms?: number): Refused | OutcomeUnknown {
  if (typeof problem.code !== 'string' || !isErrorCode(problem.code)) return new OutcomeUnknown(new Error(`status ${problem.status} without a known code`), { retryAfter_ms })
  const refused = new Refused(problem as Problem, retryAfter_ms)
  return undecided.has(refused.code) ? new OutcomeUnknown(refused, { retryAfter_ms }) : refused
}
