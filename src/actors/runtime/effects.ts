import type { ActorName, Milliseconds } from '../../protocol/identity.ts'
import type { OwnedMessage } from '../../protocol/owned.ts'
import type { Answer, NumberedAnswer, ReplyTo } from '../../protocol/packets.ts'
import type { Feed } from './feed.ts'
import type { Links } from './links.ts'
import type { Effects } from './machine.ts'
import { DIGEST_BYTES } from './record.ts'

/** Gathers what a machine causes until its batch is durable. */
export class BatchEffects implements Effects {
  time = 0 as Milliseconds
  digest: Uint8Array = new Uint8Array(DIGEST_BYTES)
  record = 0
  epoch = 0
  readonly #links: Links
  readonly #feed: Feed
  readonly #answers = new Map<string, NumberedAnswer[]>()
  /** During a replay answers are dropped: who asked has been answered or asks again. */
  #silent = true

  constructor(links: Links, feed: Feed) {
    this.#links = links
    this.#feed = feed
  }

  speak(): void {
    this.#silent = false
  }

  send(to: ActorName, message: unknown): void {
    this.#links.send(to, message)
  }

  answer(to: ReplyTo, answer: Answer): void {
    if (this.#silent) return
    const answers = this.#answers.get(to.gateway)
    if (answers === undefined) this.#answers.set(to.gateway, [{ request: to.request, answer }])
    else answers.push({ request: to.request, answer })
  }

  publish(message: OwnedMessage): void {
    this.#feed.publish(message)
  }

  backlog(to: ActorName): number {
    return this.#links.backlog(to)
  }

  /** Hands over the answers by gateway, and forgets them. */
  takeAnswers(give: (gateway: string, answers: readonly NumberedAnswer[]) => void): void {
    for (const [gateway, answers] of this.#answers) give(gateway, answers)
    this.#answers.clear()
  }
}
