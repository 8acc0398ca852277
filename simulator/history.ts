import type { ActorName } from '../src/protocol/identity.ts'
import { digestOf } from './digest.ts'
import type { Verdict } from './violation.ts'

/** A message to another actor, as its sender's machine made it. */
export interface SentMessage {
  readonly to: ActorName
  /** Counts what the sender ever sent to the receiver, from 1. */
  readonly position: number
  readonly digest: number
  readonly message: unknown
}

export interface PublishedMessage {
  /** Counts what the actor ever published, from 1. */
  readonly position: number
  /** Whose feed, or leaves. */
  readonly owner: string
  readonly seq: number
  readonly digest: number
}

/** What one batch of an actor caused. */
export interface Caused {
  readonly sent: SentMessage[]
  readonly published: PublishedMessage[]
  /** What gateways are answered, as `gateway request digest`. */
  readonly answered: string[]
}

export const nothingCaused = (): Caused => ({ sent: [], published: [], answered: [] })

/** Of everything that is caused again in a replay: what is answered is not. */
export const digestOfCaused = ({ sent, published }: Caused): number =>
  digestOf([...sent.map(({ to, position, digest }) => [to, position, digest]), ...published.map(({ owner, position, digest }) => [owner, position, digest])])

/** Hears of every message once, when it has become durable. */
export interface HistoryReader {
  sent(from: ActorName, message: SentMessage): void
}

/**
 * What has become of everybody's doings, once and for all: the messages between actors, the feeds and the answers, each put down in the moment
 * in which the record that caused it is stored. A machine that does otherwise at its next replay, a receiver that hears what is not here, a
 * reader who gets it: each is a violation.
 */
export class History {
  readonly #verdict: Verdict
  readonly #reader: HistoryReader
  readonly #sent = new Map<ActorName, Map<ActorName, number[]>>()
  readonly #published = new Map<ActorName, PublishedMessage[]>()
  /** Each owner's feed by number, number 1 first. */
  readonly #feeds = new Map<string, PublishedMessage[]>()
  readonly #answers = new Set<string>()

  constructor(verdict: Verdict, reader: HistoryReader) {
    this.#verdict = verdict
    this.#reader = reader
  }

  /** The record is stored, for the first time: what it caused has happened. */
  durable(actor: ActorName, caused: Caused): void {
    for (const sent of caused.sent) {
      const log = this.#link(actor, sent.to)
      this.#verdict.holds(sent.position === log.length + 1, 'one history', () => `message ${sent.position} of ${actor} to ${sent.to} was made durable after message ${log.length}`)
      log.push(sent.digest)
      this.#reader.sent(actor, sent)
    }
    for (const published of caused.published) this.#publish(actor, published)
    for (const answer of caused.answered) this.#answers.add(answer)
  }

  /** A replay caused it again. */
  replayed(actor: ActorName, caused: Caused): void {
    for (const { to, position, digest } of caused.sent) {
      this.#verdict.holds(this.#link(actor, to)[position - 1] === digest, 'replay equals live', () => `message ${position} of ${actor} to ${to} is another one in a replay`)
    }
    const published = this.#published.get(actor) ?? []
    for (const { position, digest } of caused.published) {
      this.#verdict.holds(published[position - 1]?.digest === digest, 'replay equals live', () => `feed message ${position} of ${actor} is another one in a replay`)
    }
  }

  /** A receiver applies a message as the `position`th of its sender. */
  heard(by: ActorName, from: ActorName, position: number, digest: number): void {
    const log = this.#link(from, by)
    if (position > log.length) return this.#verdict.broken('nothing before it is durable', `${by} hears message ${position} of ${from}, whose journal knows ${log.length}`)
    this.#verdict.holds(log[position - 1] === digest, 'exactly once, in order', () => `${by} takes another message for message ${position} of ${from}`)
  }

  /** Messages of one actor to another that are durable. */
  sentCount(from: ActorName, to: ActorName): number {
    return this.#sent.get(from)?.get(to)?.length ?? 0
  }

  /** To whom an actor has sent anything. */
  peersOf(from: ActorName): Iterable<ActorName> {
    return this.#sent.get(from)?.keys() ?? []
  }

  /** Messages on an owner's feed. */
  feedLength(owner: string): number {
    return this.#feeds.get(owner)?.length ?? 0
  }

  fed(owner: string, seq: number): PublishedMessage | undefined {
    return this.#feeds.get(owner)?.[seq - 1]
  }

  answered(answer: string): boolean {
    return this.#answers.has(answer)
  }

  /** Who has a feed. */
  get owners(): Iterable<string> {
    return this.#feeds.keys()
  }

  #publish(actor: ActorName, published: PublishedMessage): void {
    const { position, owner, seq } = published
    const all = this.#published.get(actor) ?? []
    this.#published.set(actor, all)
    this.#verdict.holds(position === all.length + 1, 'one history', () => `feed message ${position} of ${actor} was made durable after ${all.length}`)
    all.push(published)
    const feed = this.#feeds.get(owner) ?? []
    this.#feeds.set(owner, feed)
    this.#verdict.holds(seq === feed.length + 1, 'feed numbers', () => `${actor} gives a feed number ${seq} after ${feed.length}`)
    feed.push(published)
  }

  #link(from: ActorName, to: ActorName): number[] {
    const links = this.#sent.get(from) ?? new Map<ActorName, number[]>()
    this.#sent.set(from, links)
    const log = links.get(to) ?? []
    links.set(to, log)
    return log
  }
}
