import type { OutcomeUnknown, Refused } from './errors.ts'
import { problemError } from './problem.ts'
import type { Problem } from './problem.ts'

/** What became of one message of a batch: `error` is Refused, or OutcomeUnknown where the same message is to be sent again. */
export type BatchResult<View> = { readonly order: View; readonly error?: undefined } | { readonly order?: undefined; readonly error: Refused | OutcomeUnknown }

/** As the gateway writes it. */
export interface BatchItem<View> {
  readonly status: number
  readonly order?: View
  readonly problem?: Problem
}

export function resultOf<View>({ order, problem }: BatchItem<View>): BatchResult<View> {
  if (order !== undefined) return { order }
  return { error: problemError(problem ?? {}) }
}
