import type { NeverSent, OutcomeUnknown, Refused } from './errors.ts'
import type { Problem } from './problem.ts'

/** What became of one message of a batch: the order, or why there is none, as if the message had been sent alone. */
export type BatchResult<View> =
  | { readonly order: View; readonly error?: undefined }
  | { readonly order?: undefined; readonly error: NeverSent | Refused | OutcomeUnknown }

/** As the gateway writes it. */
export interface BatchItem<View> {
  readonly status: number
  readonly order?: View
  readonly problem?: Problem
}
