import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../../protocol/limits.ts'
import type { FeedOwner, OwnedMessage } from '../../protocol/owned.ts'
import { FeedTrimmed } from '../feeds/feedSearch.ts'
import { FeedItem } from './feedItem.ts'
import { FeedTail } from './feedTail.ts'

/** Whoever follows a feed: gets every message behind its position, once and in order. */
export interface FeedReader {
  readonly position: number
  /** Numbers that it is past already are not new to it. */
  take(item: FeedItem): void
  /** The feed cannot be followed any further. */
  lost(): void
}

/** What is stored of feeds, and of tapes. */
export interface Replay {
  /** What follows a number, oldest first. */
  after(owner: FeedOwner, after: number, limit: number): Promise<{ readonly messages: readonly OwnedMessage[]; readonly more: boolean }>
  /** The highest number stored last; 0 for a feed without messages. */
  newest(owner: FeedOwner): Promise<number>
}

/** Messages asked of the store at once. */
export const PAGE = 256
/** How long a message that others came after may be missing from the store: its actor may be storing it again. */
const RETRY_MS = 100
const RETRIES = 100

/**
 * One account's feed, or one market's tape, as it happens, for all who follow it here. What arrives live is put in order: repeats are dropped, and what is missing, since a connection was
 * cut somewhere, is read from the store before anything after it is passed on. So everybody who has joined gets the same messages at the same time.
 */
export class AccountFeed {
  readonly owner: FeedOwner
  readonly #replay: Replay
  readonly #retry_ms: number
  readonly #tail = new FeedTail(limits.feedTailMessages, limits.feedTailBytes)
  readonly #readers = new Set<FeedReader>()
  /** What came too early. Bounded: what does not fit is read from the store. */
  readonly #held = new Map<number, FeedItem>()
  /** Number of the last message that was passed on; null until somebody knows where the feed stands. */
  #last: number | null = null
  /** The highest number that is known to be out. */
  #goal = 0
  #catchingUp = false
  #closed = false
  /** Called when the feed has gone on. */
  onMoved: (() => void) | undefined
  /** When something was last heard of it, by a clock that never goes back. */
  heard_ms = 0

  constructor(owner: FeedOwner, replay: Replay, retry_ms = RETRY_MS) {
    this.owner = owner
    this.#replay = replay
    this.#retry_ms = retry_ms
  }

  /** Number of the last message that was passed on here; 0 where nobody knows. */
  get last(): number {
    return this.#last ?? 0
  }

  get readers(): number {
    return this.#readers.size
  }

  /** The feed stands at that number at least: where it begins here, unless it has begun. */
  begin(fed: number): void {
    this.#goal = Math.max(this.#goal, fed)
    if (this.#last !== null) return
    this.#last = fed
    this.#release()
    this.#pursue()
  }

  /** A message as it was published. */
  hear(item: FeedItem): void {
    this.heard_ms = performance.now()
    const { seq } = item
    this.#goal = Math.max(this.#goal, seq)
    if (this.#last !== null && seq <= this.#last) return
    if (this.#last !== null && seq === this.#last + 1 && !this.#catchingUp) return this.#pass(item)
    if (this.#held.size < limits.feedTailMessages) this.#held.set(seq, item)
    if (this.#last !== null) this.#pursue()
  }

  /** Looks whether something was published that has not come here. */
  async check(): Promise<void> {
    if (this.#last === null || this.#catchingUp) return
    this.heard_ms = performance.now()
    this.#goal = Math.max(this.#goal, await this.#replay.newest(this.owner))
    this.#pursue()
  }

  /**
   * Lets a reader in that is at most as far behind as what is kept here.
   * @returns false where it has to read from the store first
   */
  join(reader: FeedReader): boolean {
    if (this.#last === null) return false
    if (reader.position < this.#last) {
      const missed = this.#tail.after(reader.position)
      if (missed === null) return false
      for (const item of missed) reader.take(item)
    }
    this.#readers.add(reader)
    return true
  }

  /** Whether a reader with that position could join. */
  covers(position: number): boolean {
    return this.#last !== null && (position >= this.#last || this.#tail.after(position) !== null)
  }

  leave(reader: FeedReader): void {
    this.#readers.delete(reader)
  }

  close(): void {
    this.#closed = true
    this.#readers.clear()
    this.#tail.clear()
    this.#held.clear()
  }

  #pass(item: FeedItem): void {
    this.#last = item.seq
    this.#tail.push(item)
    for (const reader of this.#readers) reader.take(item)
    this.onMoved?.()
  }

  /** Passes on what was held and follows now. */
  #release(): void {
    for (const [seq] of this.#held) if (seq <= this.#last!) this.#held.delete(seq)
    for (let item = this.#held.get(this.#last! + 1); item !== undefined; item = this.#held.get(this.#last! + 1)) {
      this.#held.delete(item.seq)
      this.#pass(item)
    }
  }

  #pursue(): void {
    if (this.#closed || this.#catchingUp || this.#last! >= this.#goal) return
    this.#catchingUp = true
    void this.#catchUp()
  }

  async #catchUp(): Promise<void> {
    for (let failures = 0; !this.#closed && this.#last! < this.#goal; ) {
      const before = this.#last!
      try {
        const { messages } = await this.#replay.after(this.owner, before, PAGE)
        if (this.#closed) return
        for (const message of messages) if (message.seq === this.#last! + 1) this.#pass(FeedItem.of(message))
        this.#release()
        if (this.#last! > before) failures = 0
      } catch (error) {
        // What is not to be had now may be in a moment; what is no longer kept never will.
        if (error instanceof FeedTrimmed) return this.#lose()
      }
      if (this.#last === before && ++failures > RETRIES) return this.#lose()
      if (this.#last === before) await delay(this.#retry_ms)
    }
    this.#catchingUp = false
  }

  /** Nobody here can be told what came next. Whoever joins from now on begins anew. */
  #lose(): void {
    this.#catchingUp = false
    this.#last = null
    this.#goal = 0
    this.#tail.clear()
    this.#held.clear()
    const readers = [...this.#readers]
    this.#readers.clear()
    for (const reader of readers) reader.lost()
  }
}
