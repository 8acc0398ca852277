import type { Refusal } from '../protocol/errors.ts'

/** An answer as the caller gets it. */
export interface Shown {
  readonly status: number
  readonly body: object
}

/** What came of a signed message: an answer, or why not, with the thing that the refusal is about as it stands. */
export type Outcome = Shown | { readonly refused: Refusal; readonly found?: object }
