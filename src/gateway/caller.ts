import type { Policy } from './limits/policy.ts'
import type { Outcome } from './submission.ts'

/** Where a caller stands with a rate limit after a request was counted, or refused for it. */
export interface Standing {
  readonly policy: Policy
  readonly left: number
  /** Until the limit is whole again; for a refusal, until the next request may pass. */
  readonly seconds: number
  readonly refused: boolean
}

/** Whoever sent a request, whichever way it came: over HTTP, a stream or NATS. */
export interface Caller {
  /** Names the request in the log and in problems. */
  readonly requestId: string
  /** Is told of every limit that the request was counted by, the last that applies last. */
  counted(standing: Standing): void
}

/** One that waits for the outcome of a single message. */
export interface AnsweredCaller extends Caller {
  /** Called once. */
  answer(outcome: Outcome): void
}
