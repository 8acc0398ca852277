import type { AccountId, ActorName, MarketName } from '../../protocol/identity.ts'
import type { OwnedMessage } from '../../protocol/owned.ts'
import type { Clock } from './clock.ts'
import type { Transcript } from './digest.ts'
import { sentence } from './log.ts'
import type { Log } from './log.ts'
import { Outbox } from './outbox.ts'

/**
 * A message of an account's feed, a market's tape or the leaves of a settlement actor's batches, as it is stored: JSON text, written once, so that a record's digest is made
 * from what its readers get. One actor writes one of the three kinds.
 */
export type FeedText = { readonly account: AccountId; readonly text: string } | { readonly market: MarketName; readonly text: string } | { readonly actor: ActorName; readonly text: string }

/** What was published and is not known to be stored: the messages behind position `trimmed`. */
export interface FeedState {
  readonly trimmed: number
  readonly waiting: readonly FeedText[]
}

/** Where traders' feeds are kept. */
export interface FeedStream {
  /**
   * Resolves once all of them are stored, in this order.
   * @throws Error where that is not known: the caller stores the same again
   */
  store(messages: readonly FeedText[]): Promise<void>
  /** Calls whenever what was stored within the last `keep_ms` may be lost again: the store was away. */
  onDoubt?(call: () => void): void
}

/**
 * How long a stored message may be only in the store's memory, generously: it writes behind (streams.ts). So long it is kept here, and stored again when the
 * store has been away; readers know a repeat by its number.
 */
export const keep_ms = 2_000

/** A JetStream server takes no more than 1,000 as one batch. */
const burstMessages = 1_000
const retry_ms = { first: 50, most: 2_000 }

/**
 * The way of feed messages into their stream. Replayed state: what was ever published and is not known to be stored by a journaled record.
 * One burst is on its way at a time and is repeated until stored, so that the stream never holds a later message before an earlier one.
 */
export class Feed {
  readonly #stream: FeedStream
  readonly #clock: Clock
  readonly #log: Log
  #outbox = new Outbox<FeedText>()
  /** Position of the last message that is in a transcript. */
  #closed = 0
  #released = 0
  #stored = 0
  #storing = false
  #stopped = false
  #settled: (() => void)[] = []
  /** What was stored when, oldest first: positions that are not yet beyond doubt. */
  #recent: { readonly position: number; readonly at_ms: number }[] = []
  /** Counts how often the store has been away: a burst that was under way then is not known to be stored. */
  #doubts = 0

  constructor(stream: FeedStream, clock: Clock, log: Log) {
    this.#stream = stream
    this.#clock = clock
    this.#log = log
    stream.onDoubt?.(() => this.#doubt())
  }

  /** Messages that are not stored. */
  get backlog(): number {
    return this.#outbox.last - this.#stored
  }

  get state(): FeedState {
    return { trimmed: this.#outbox.trimmed, waiting: this.#outbox.slice(this.#outbox.trimmed + 1, this.#outbox.last) }
  }

  /** Begins from a snapshot. */
  restore({ trimmed, waiting }: FeedState): void {
    this.#outbox = new Outbox(trimmed, waiting)
    this.#closed = this.#outbox.last
    this.#stored = trimmed
  }

  publish(message: OwnedMessage): void {
    const text = JSON.stringify(message)
    if ('account' in message) this.#outbox.push({ account: message.account, text })
    else this.#outbox.push('actor' in message ? { actor: message.actor, text } : { market: message.market, text })
  }

  /** The batch is applied: what it published goes into the transcript of its record. */
  close(transcript: Transcript): void {
    const first = this.#closed + 1
    this.#closed = this.#outbox.last
    transcript.number(this.#closed - first + 1)
    // Texts of one line each: one call for all of them instead of one for each.
    if (first <= this.#closed) transcript.text(this.#outbox.slice(first, this.#closed).map(({ text }) => text).join('\n'))
  }

  /** A journaled record says that everything up to `position` is stored. */
  trim(position: number): void {
    this.#outbox.trim(position)
    if (this.#stored < position) this.#stored = position
  }

  /** The position that belongs into the next record, or null; the outbox is trimmed by it. */
  takeAck(): number | null {
    const beyond_ms = this.#clock.passed() - keep_ms
    let position = this.#outbox.trimmed
    let past = 0
    for (; past < this.#recent.length && this.#recent[past]!.at_ms <= beyond_ms; past++) position = this.#recent[past]!.position
    if (past > 0) this.#recent = this.#recent.slice(past)
    if (position <= this.#outbox.trimmed) return null
    this.#outbox.trim(position)
    return position
  }

  /** Everything published so far is durable in the journal. */
  release(): void {
    this.#released = this.#outbox.last
    if (!this.#storing && this.#stored < this.#released) void this.#store()
  }

  /** Resolves once nothing released waits, or the feed is stopped. */
  async settled(): Promise<void> {
    if (this.#stopped || !this.#storing) return
    await new Promise<void>((resolve) => this.#settled.push(resolve))
  }

  stop(): void {
    this.#stopped = true
    if (!this.#storing) this.#settle()
  }

  /** Whatever was stored lately is stored again, before anything newer. */
  #doubt(): void {
    this.#doubts++
    this.#recent = []
    this.#stored = this.#outbox.trimmed
    if (!this.#stopped && !this.#storing && this.#stored < this.#released) void this.#store()
  }

  #settle(): void {
    for (const resolve of this.#settled) resolve()
    this.#settled = []
  }

  async #store(): Promise<void> {
    this.#storing = true
    let wait_ms = retry_ms.first
    while (!this.#stopped && this.#stored < this.#released) {
      const last = Math.min(this.#released, this.#stored + burstMessages)
      const doubts = this.#doubts
      try {
        await this.#stream.store(this.#outbox.slice(this.#stored + 1, last))
        wait_ms = retry_ms.first
        if (doubts !== this.#doubts) continue
        this.#stored = last
        this.#recent.push({ position: last, at_ms: this.#clock.passed() })
      } catch (error) {
        this.#log.warn('feed', 'a burst is not known to be stored and is repeated', { messages: last - this.#stored, reason: sentence(error) })
        await new Promise<void>((resolve) => this.#clock.after(wait_ms, resolve))
        wait_ms = Math.min(wait_ms * 2, retry_ms.most)
      }
    }
    this.#storing = false
    this.#settle()
  }
}
