import { systemClock } from '../actors/runtime/clock.ts'
import type { Clock } from '../actors/runtime/clock.ts'
import type { Transport } from '../actors/runtime/transport.ts'
import { decode, encode } from '../protocol/codec.ts'
import type { Answer, AnswerPacket, ClientPacket, ShardAnswers } from '../protocol/packets.ts'
import type { Subjects } from '../protocol/subjects.ts'

/**
 * How long the first answer is waited for before the same is said again, by how much longer each time, and at most: an actor between owners is soon asked once more, and
 * a shard that works at something for minutes is not given as many repeats of it as it takes in all (src/actors/shardCommands.ts).
 */
const FIRST_PAUSE_MS = 1_000
const GROWTH = 1.5
const LONGEST_PAUSE_MS = 15_000

/** What somebody is asked or told. It may come more than once: whatever an operator says may be said twice. */
export type Said = { readonly command: unknown } | { readonly query: unknown }

/** Asks actors and shards for operators, over a connection in the venue's own account. */
export class Asking {
  readonly #transport: Transport
  readonly #name: string
  readonly #clock: Clock
  readonly #waiting = new Map<number, (answer: Answer | null) => void>()
  readonly #unsubscribe: () => void
  #last = 0
  #closed = false

  /** @param name where answers go: nobody else may have it, before or after */
  constructor(transport: Transport, subjects: Subjects, name: string, clock = systemClock) {
    this.#transport = transport
    this.#name = name
    this.#clock = clock
    this.#unsubscribe = transport.subscribe(subjects.answers(name), (data) => this.#hear(data))
  }

  /** Says something to whoever hears a subject, again and again until it is answered. Null where it is not within `limit_ms`: it may have been done all the same. */
  ask(subject: string, said: Said, limit_ms: number): Promise<Answer | null> {
    if (this.#closed) return Promise.resolve(null)
    const request = ++this.#last
    const packet = encode({ gateway: this.#name, items: [{ request, ...said }] } satisfies ClientPacket<unknown, unknown>)
    const { promise, resolve } = Promise.withResolvers<Answer | null>()
    let notAgain: () => void
    const say = (pause_ms: number): void => {
      this.#transport.publish(subject, packet)
      notAgain = this.#clock.after(pause_ms, () => say(Math.min(pause_ms * GROWTH, LONGEST_PAUSE_MS)))
    }
    const notLate = this.#clock.after(limit_ms, () => this.#settle(request, null))
    this.#waiting.set(request, (answer) => {
      notAgain()
      notLate()
      resolve(answer)
    })
    say(FIRST_PAUSE_MS)
    return promise
  }

  /** Whoever waits for an answer waits no longer. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#unsubscribe()
    for (const request of this.#waiting.keys()) this.#settle(request, null)
  }

  #hear(data: Uint8Array): void {
    let packet: AnswerPacket | ShardAnswers
    try {
      packet = decode<AnswerPacket | ShardAnswers>(data)
    } catch {
      // That was no answer: the same is asked again.
      return
    }
    for (const { request, answer } of packet.answers) this.#settle(request, answer)
  }

  #settle(request: number, answer: Answer | null): void {
    const settle = this.#waiting.get(request)
    this.#waiting.delete(request)
    settle?.(answer)
  }
}
