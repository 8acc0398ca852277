import { Refusal } from '../protocol/errors.ts'
import type { Venue } from '../protocol/venue.ts'
import { prepareAmending } from './amending.ts'
import type { Binding } from './binding.ts'
import type { Caller } from './caller.ts'
import { prepareCancelling } from './cancelling.ts'
import { OutcomeViews } from './outcomeView.ts'
import { preparePlacing } from './placing.ts'
import { problemOf } from './problem.ts'
import type { Problem } from './problem.ts'
import type { Outcome } from './outcome.ts'
import type { Prepared, SignedBody, Submission } from './submission.ts'
import { prepareSweeping } from './sweeping.ts'
import { prepareTiming } from './timing.ts'

/** What a trader may send by the name of what it does, over a way that has no routes. */
export type Entry = 'place' | 'amend' | 'cancel' | 'cancelAll' | 'deadMan'
/** What may come in batches. */
export type BatchEntry = Extract<Entry, 'place' | 'cancel'>

/** What became of a message: the status that HTTP would have, and the body or the problem. */
export type Result = { readonly status: number; readonly body: object } | { readonly status: number; readonly problem: Problem }

/** Signed messages that come without a route: the same messages, the same way through the venue, the same answers. */
export class OrderEntry {
  readonly #submission: Submission
  readonly #prepare: Readonly<Record<Entry, (body: SignedBody) => Prepared>>

  constructor(venue: Venue, binding: Binding, submission: Submission) {
    const views = new OutcomeViews(venue)
    this.#submission = submission
    this.#prepare = {
      place: (body) => preparePlacing(venue, binding, body),
      amend: (body) => prepareAmending(views, binding, body),
      cancel: (body) => prepareCancelling(views, binding, body),
      cancelAll: (body) => prepareSweeping(venue, binding, body),
      deadMan: (body) => prepareTiming(binding, body),
    }
  }

  /** @param body checked against SignedRequest @param done called once, maybe before this returns; this never throws a Refusal */
  submit(entry: Entry, body: SignedBody, caller: Caller, done: (result: Result) => void): void {
    const answer = (outcome: Outcome): void => done(resultOf(outcome, caller.requestId))
    try {
      this.#submission.submit(body, this.#prepare[entry](body), { requestId: caller.requestId, counted: (standing) => caller.counted(standing), answer })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      answer({ refused: error })
    }
  }

  /** Several messages, each with a result of its own. @param done called once */
  submitAll(entry: BatchEntry, bodies: readonly SignedBody[], caller: Caller, done: (results: readonly Result[]) => void): void {
    const items = bodies.map((body) => ({ body, prepare: this.#prepare[entry] }))
    this.#submission.submitAll(items, caller, (outcomes) => done(outcomes.map((outcome) => resultOf(outcome, caller.requestId))))
  }
}

/** One of the results of a batch. */
export const batchResult = (result: Result): object => ('problem' in result ? result : { status: result.status, order: result.body })

function resultOf(outcome: Outcome, requestId: string): Result {
  if (!('refused' in outcome)) return outcome
  const problem = problemOf(outcome.refused, requestId, outcome.found)
  return { status: problem.status, problem }
}
