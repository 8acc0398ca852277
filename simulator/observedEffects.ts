import type { Effects } from '../src/actors/runtime/machine.ts'
import type { ActorName, Milliseconds } from '../src/protocol/identity.ts'
import { ownerOf } from '../src/protocol/owned.ts'
import type { OwnedMessage } from '../src/protocol/owned.ts'
import type { Answer, ReplyTo } from '../src/protocol/packets.ts'
import { digestOf } from './digest.ts'
import { nothingCaused } from './history.ts'
import type { Caused } from './history.ts'

/** Sees everything that a machine causes, and passes it on. */
export class ObservedEffects implements Effects {
  #sent = new Map<ActorName, number>()
  #published = 0
  #caused = nothingCaused()
  #effects: Effects | null = null
  /** Answers are noted only where they leave. */
  live = false

  of(effects: Effects): this {
    this.#effects = effects
    return this
  }

  get sent(): ReadonlyMap<ActorName, number> {
    return this.#sent
  }

  get published(): number {
    return this.#published
  }

  restore(sent: ReadonlyMap<ActorName, number>, published: number): void {
    this.#sent = new Map(sent)
    this.#published = published
  }

  take(): Caused {
    const caused = this.#caused
    this.#caused = nothingCaused()
    return caused
  }

  get time(): Milliseconds {
    return this.#inner.time
  }

  get digest(): Uint8Array {
    return this.#inner.digest
  }

  get record(): number {
    return this.#inner.record
  }

  get epoch(): number {
    return this.#inner.epoch
  }

  send(to: ActorName, message: unknown): void {
    const position = (this.#sent.get(to) ?? 0) + 1
    this.#sent.set(to, position)
    this.#caused.sent.push({ to, position, digest: digestOf(message), message })
    this.#inner.send(to, message)
  }

  answer(to: ReplyTo, answer: Answer): void {
    if (this.live) this.#caused.answered.push(`${to.gateway} ${to.request} ${digestOf(answer)}`)
    this.#inner.answer(to, answer)
  }

  publish(message: OwnedMessage): void {
    this.#caused.published.push({ position: ++this.#published, owner: ownerOf(message), seq: message.seq, digest: digestOf(message) })
    this.#inner.publish(message)
  }

  backlog(to: ActorName): number {
    return this.#inner.backlog(to)
  }

  get #inner(): Effects {
    if (this.#effects === null) throw new Error('an effect before any input')
    return this.#effects
  }
}
