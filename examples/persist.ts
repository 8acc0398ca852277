import { setTimeout as delay } from 'node:timers/promises'
import { NeverSent, OutcomeUnknown, Refused } from '../src/client/errors.ts'

const pause_ms = { first: 100, longest: 5_000 }

/**
 * Asks until the venue answers. Safe for reads, and for a message that was signed once: however often it arrives, it takes effect at most once.
 * @throws Refused where asking again would not help
 */
export async function persist<Answer>(ask: () => Promise<Answer>, end: AbortSignal): Promise<Answer> {
  for (let wait_ms = pause_ms.first; ; wait_ms = Math.min(wait_ms * 2, pause_ms.longest)) {
    try {
      return await ask()
    } catch (error) {
      const passing = error instanceof NeverSent || error instanceof OutcomeUnknown || (error instanceof Refused && (error.status === 503 || error.status === 429))
      if (!passing || end.aborted) throw error
      await delay(wait_ms, undefined, { signal: end })
    }
  }
}
