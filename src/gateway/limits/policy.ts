import { Refusal } from '../../protocol/errors.ts'
import type { Counted } from './allowance.ts'
import { Buckets } from './buckets.ts'
import type { Rate } from './buckets.ts'

/** One published limit, in the words of the IETF's draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-10). */
export class Policy {
  readonly name: string
  readonly rate: Rate
  /** The limit as its header spells it. */
  readonly header: string
  readonly #buckets: Buckets

  constructor(name: string, rate: Rate, capacity: number) {
    this.name = name
    this.rate = rate
    this.#buckets = new Buckets(rate, capacity)
    this.header = `"${name}";q=${rate.quota};w=${rate.window_s}`
  }

  /** Counts so many requests of a key, and tells the caller what is left. @throws Refusal rate_exceeded */
  take(key: string, caller: Counted, count = 1): void {
    this.#tell(this.#buckets.take(key, performance.now(), count), caller)
  }

  /** Refuses a key that has nothing left, and counts nothing: whoever says to be that key has yet to prove it. @throws Refusal rate_exceeded */
  peek(key: string, caller: Counted): void {
    const fullIn_ms = this.#buckets.peek(key, performance.now())
    if (fullIn_ms < 0) this.#tell(fullIn_ms, caller)
  }

  #tell(fullIn_ms: number, caller: Counted): void {
    const refused = fullIn_ms < 0
    const left = refused ? 0 : this.#buckets.left(fullIn_ms)
    caller.counted({ policy: this, left, seconds: Math.ceil(Math.abs(fullIn_ms) / 1_000), refused })
    if (refused) throw new Refusal('rate_exceeded', this.name)
  }
}
