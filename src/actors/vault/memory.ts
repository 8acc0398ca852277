import type { MessageId, Milliseconds, Seconds } from '../../protocol/identity.ts'
import { IntegerSet } from '../integerSet.ts'

const MINUTE_MS = 60_000
/** Ids forgotten in one call at most, so that the end of a busy minute does not hold up the orders of the next. */
const FORGOTTEN_AT_ONCE = 4_096

/**
 * When to forget the ids of closed things. A message can take effect only once, so its id is kept until it has expired; whole minutes
 * are enough, and wake the actor once a minute at most rather than once for each id.
 */
export class Memory {
  readonly #byMinute: Map<number, MessageId[]>
  readonly #minutes = new IntegerSet()

  constructor(byMinute: Map<number, MessageId[]>) {
    this.#byMinute = byMinute
    for (const minute of byMinute.keys()) this.#minutes.add(minute)
  }

  /** Keeps the id of something closed at `time` past the expiry of its message. */
  keep(id: MessageId, expires: Seconds | number, time: Milliseconds): void {
    const minute = Math.floor(Math.max(expires * 1000, time) / MINUTE_MS)
    const ids = this.#byMinute.get(minute)
    if (ids !== undefined) {
      ids.push(id)
      return
    }
    this.#byMinute.set(minute, [id])
    this.#minutes.add(minute)
  }

  /** Forgets what may be forgotten, a bounded number at a time. */
  forget(time: Milliseconds, forgotten: (id: MessageId) => void): void {
    for (let count = 0; count < FORGOTTEN_AT_ONCE; ) {
      const minute = this.#minutes.first
      if (minute === undefined || (minute + 1) * MINUTE_MS > time) return
      const ids = this.#byMinute.get(minute) ?? []
      for (; ids.length > 0 && count < FORGOTTEN_AT_ONCE; count++) {
        const id = ids.pop()
        if (id !== undefined) forgotten(id)
      }
      if (ids.length > 0) return
      this.#byMinute.delete(minute)
      this.#minutes.delete(minute)
    }
  }

  /** When the oldest minute can be forgotten, or null. */
  get deadline(): Milliseconds | null {
    const minute = this.#minutes.first
    return minute === undefined ? null : (((minute + 1) * MINUTE_MS) as Milliseconds)
  }
}
