import type { FastifyReply } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import { Buckets } from './buckets.ts'
import type { Rate } from './buckets.ts'

/** One published limit, in the words of the IETF's draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-10). */
export class Policy {
  readonly name: string
  readonly rate: Rate
  readonly #buckets: Buckets
  readonly #header: string

  constructor(name: string, rate: Rate, capacity: number) {
    this.name = name
    this.rate = rate
    this.#buckets = new Buckets(rate, capacity)
    this.#header = `"${name}";q=${rate.quota};w=${rate.window_s}`
  }

  /** Counts so many requests of a key, and says in the answer's headers what is left. @throws Refusal rate_exceeded */
  take(key: string, reply: FastifyReply, count = 1): void {
    this.#tell(this.#buckets.take(key, performance.now(), count), reply)
  }

  /** Refuses a key that has nothing left, and counts nothing: whoever says to be that key has yet to prove it. @throws Refusal rate_exceeded */
  peek(key: string, reply: FastifyReply): void {
    const fullIn_ms = this.#buckets.peek(key, performance.now())
    if (fullIn_ms < 0) this.#tell(fullIn_ms, reply)
  }

  #tell(fullIn_ms: number, reply: FastifyReply): void {
    const refused = fullIn_ms < 0
    const left = refused ? 0 : this.#buckets.left(fullIn_ms)
    const seconds = Math.ceil(Math.abs(fullIn_ms) / 1_000)
    void reply.header('ratelimit-policy', this.#header).header('ratelimit', `"${this.name}";r=${left};t=${seconds}`)
    if (!refused) return
    void reply.header('retry-after', String(seconds))
    throw new Refusal('rate_exceeded', this.name)
  }
}
