import { delay } from './delay.ts'

/** How long a call goes on. */
export interface CallOptions {
  /** Ends the call. What was sent by then may have taken effect all the same: OutcomeUnknown says so. */
  readonly signal?: AbortSignal
  /** Longest that the call takes, whatever it repeats included. Default: 15,000. Infinity: until the signal, or until what is sent expires. */
  readonly timeout_ms?: number
  /** false: asks once. Default: asks again where that is safe and may help. */
  readonly retry?: boolean
}

const TIMEOUT_MS = 15_000
/** A gateway answers within five seconds, if only to say that it does not know. */
const ANSWER_MS = 7_000
/** Of a call that asks once. */
const LONGEST_ANSWER_MS = 60_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
/** A venue that asks for more is asked again all the same. */
const LONGEST_ASKED_PAUSE_MS = 60_000

/** What is to be waited before a request is made again: what the venue asks for, or longer each time, and never the same for all callers. */
export function pause_ms(attempt: number, asked_ms: number | undefined): number {
  const own_ms = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt - 1, 10), LONGEST_PAUSE_MS)
  return Math.max(Math.min(asked_ms ?? 0, LONGEST_ASKED_PAUSE_MS), own_ms / 2 + (Math.random() * own_ms) / 2)
}

/** The time and the attempts that one call has. */
export class Patience {
  readonly #end_ms: number
  readonly #useless_ms: number
  readonly #retry: boolean
  readonly #signal: AbortSignal | undefined
  #attempts = 0

  /** @param useful_ms how long it is of use to send it again: until it expires */
  constructor({ signal, timeout_ms = TIMEOUT_MS, retry = true }: CallOptions, useful_ms = Infinity) {
    const now_ms = performance.now()
    this.#end_ms = now_ms + timeout_ms
    this.#useless_ms = now_ms + useful_ms
    this.#retry = retry
    this.#signal = signal
  }

  /** Why nothing more is to be sent, if so. */
  get over(): unknown {
    if (this.#signal?.aborted) return this.#signal.reason as unknown
    return performance.now() >= this.#end_ms ? new Error('the time for it is over') : undefined
  }

  /** Makes one attempt, which ends when an answer is no longer to be expected. */
  async attempt<Answer>(ask: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    this.#attempts++
    const attempt = new AbortController()
    const left_ms = this.#end_ms - performance.now()
    const timer = setTimeout(() => attempt.abort(new Error('no answer in time')), Math.min(left_ms, this.#retry ? ANSWER_MS : LONGEST_ANSWER_MS))
    const end = (): void => attempt.abort(this.#signal?.reason)
    this.#signal?.addEventListener('abort', end, { once: true })
    try {
      return await ask(attempt.signal)
    } finally {
      clearTimeout(timer)
      this.#signal?.removeEventListener('abort', end)
    }
  }

  /** Waits until the next attempt. @returns false where there is none: once was to be enough, or what is left is less than the wait */
  async again(asked_ms: number | undefined): Promise<boolean> {
    if (!this.#retry) return false
    const wait_ms = pause_ms(this.#attempts, asked_ms)
    if (this.over !== undefined || performance.now() + wait_ms >= Math.min(this.#end_ms, this.#useless_ms)) return false
    await delay(wait_ms, this.#signal)
    return this.over === undefined
  }
}
