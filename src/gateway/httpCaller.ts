import type { FastifyReply } from 'fastify'
import type { AnsweredCaller } from './caller.ts'
import type { Allowance } from './limits/allowance.ts'
import { sendProblem } from './problem.ts'
import type { Outcome } from './outcome.ts'

/** A caller over HTTP: rate limits are told in headers, outcomes as the answer. */
export class HttpCaller implements AnsweredCaller {
  readonly #reply: FastifyReply

  constructor(reply: FastifyReply) {
    this.#reply = reply
  }

  get requestId(): string {
    return this.#reply.request.id
  }

  counted({ policy, left, seconds, refused }: Allowance): void {
    void this.#reply.header('ratelimit-policy', policy.header).header('ratelimit', `"${policy.name}";r=${left};t=${seconds}`)
    if (refused) void this.#reply.header('retry-after', String(seconds))
  }

  answer(outcome: Outcome): void {
    if ('refused' in outcome) return sendProblem(this.#reply, outcome.refused, outcome.found)
    void this.#reply.code(outcome.status).send(outcome.body)
  }
}
