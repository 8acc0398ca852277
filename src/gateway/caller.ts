import type { Counted } from './limits/allowance.ts'
import type { Outcome } from './outcome.ts'

/** Whoever sent a request, whichever way it came: over HTTP, a stream or NATS. */
export interface Caller extends Counted {
  /** Names the request in the log and in problems. */
  readonly requestId: string
}

/** One that waits for the outcome of a single message. */
export interface AnsweredCaller extends Caller {
  /** Called once. */
  answer(outcome: Outcome): void
}
