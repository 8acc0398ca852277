import type { Milliseconds } from '../../protocol/identity.ts'

/** Time as the runtime sees it, so that a simulation can hand in its own. */
export interface Clock {
  /** By a clock that may be set, also back. */
  now(): Milliseconds
  /** Milliseconds since some moment or other, by a clock that nobody sets. */
  passed(): number
  /** Calls once after `delay_ms`; the function it gives back cancels the call. */
  after(delay_ms: number, call: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now() as Milliseconds,
  passed: () => performance.now(),
  after: (delay_ms, call) => {
    const timer = setTimeout(call, delay_ms)
    return () => clearTimeout(timer)
  },
}
