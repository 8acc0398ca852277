import type { ActorName } from '../../protocol/identity.ts'
import type { Answer } from '../../protocol/packets.ts'

/** Called once with the answer and the actor that gave it; null where the gateway itself gave up. */
export type Answered = (answer: Answer, from: ActorName | null) => void

interface Entry {
  readonly deadline_ms: number
  readonly late: Answer
  readonly answered: Answered
}

/**
 * Requests that wait for an answer. All wait equally long, so the order in which they were added is the order in which they fall due, and
 * one look at the front now and then replaces a timer for each.
 */
export class Waiting {
  readonly #timeout_ms: number
  readonly #entries = new Map<number, Entry>()
  #last = 0

  constructor(timeout_ms: number) {
    this.#timeout_ms = timeout_ms
  }

  get size(): number {
    return this.#entries.size
  }

  /** @param late what to answer where nobody else does @returns the request's number; consecutive calls get consecutive numbers */
  add(now_ms: number, late: Answer, answered: Answered): number {
    const request = ++this.#last
    this.#entries.set(request, { deadline_ms: now_ms + this.#timeout_ms, late, answered })
    return request
  }

  /** @returns false where nobody waits for that number (any more): the answer came late or twice */
  settle(request: number, answer: Answer, from: ActorName | null): boolean {
    const entry = this.#entries.get(request)
    if (entry === undefined) return false
    this.#entries.delete(request)
    entry.answered(answer, from)
    return true
  }

  /** Gives up on what is due. */
  sweep(now_ms: number): void {
    for (const [request, entry] of this.#entries) {
      if (entry.deadline_ms > now_ms) return
      this.#entries.delete(request)
      entry.answered(entry.late, null)
    }
  }
}
