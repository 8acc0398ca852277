import { setTimeout as delay } from 'node:timers/promises'
import { FeedTrimmed } from '../feeds/feedSearch.ts'
import { pageBehind } from '../feeds/resumption.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { OwnedMessage } from '../../protocol/owned.ts'
import type { AccountFeed, FeedReader, Replay } from './accountFeed.ts'
import { PAGE } from './accountFeed.ts'
import { FeedItem } from './feedItem.ts'
import type { FeedChannel } from './feedItem.ts'

/** How long what was published may take to be stored, before somebody who waits for it is let go. */
const RETRY_MS = 100
const RETRIES = 100

/** Where a subscription's messages go. */
export interface Receiver {
  send(frame: Buffer): void
  /** Resolves when what was sent so far has left, or the connection is gone. */
  flushed(): Promise<void>
  /** The feed cannot be followed any further. */
  lost(): void
}

/**
 * Channels of an account's feed that one connection asked for at once, from one number on. First what the store has behind that number, then, without a gap and without
 * a repeat, what happens.
 */
export class Subscription implements FeedReader {
  readonly feed: AccountFeed
  readonly #receiver: Receiver
  /** By channel the number that was sent last, or where it began. */
  readonly #last = new Map<FeedChannel, number>()
  #position: number
  #ended = false

  constructor(feed: AccountFeed, receiver: Receiver, channels: readonly FeedChannel[], position: number) {
    this.feed = feed
    this.#receiver = receiver
    this.#position = position
    for (const channel of channels) this.#last.set(channel, position)
  }

  get position(): number {
    return this.#position
  }

  get channels(): ReadonlyMap<FeedChannel, number> {
    return this.#last
  }

  take(item: FeedItem): void {
    const { seq, channel } = item
    if (seq <= this.#position || this.#ended) return
    if (seq !== this.#position + 1) throw new Error('a feed goes on with the next number')
    this.#position = seq
    const prev = channel === null ? undefined : this.#last.get(channel)
    if (prev === undefined) return
    this.#last.set(channel!, seq)
    this.#receiver.send(item.frame(prev))
  }

  lost(): void {
    if (!this.#ended) this.#receiver.lost()
  }

  /** One channel less. @returns whether none is left */
  drop(channel: FeedChannel): boolean {
    this.#last.delete(channel)
    if (this.#last.size === 0) this.end()
    return this.#ended
  }

  end(): void {
    this.#ended = true
    this.feed.leave(this)
  }

  /**
   * The first page of what is to be read from the store; null where nothing is.
   * @param fed how far the feed has come
   * @throws Refusal feed_trimmed, history_unavailable, venue_overloaded
   */
  async firstPage(replay: Replay, fed: number): Promise<readonly OwnedMessage[] | null> {
    if (this.feed.covers(this.#position)) return null
    try {
      return (await pageBehind(replay, this.feed.owner, this.#position, PAGE, () => fed)).messages
    } catch (error) {
      throw error instanceof FeedTrimmed ? new Refusal('feed_trimmed') : error
    }
  }

  /** Sends what was missed, and joins the feed. @param first the first page of it, where that has been read */
  async follow(replay: Replay, first: readonly OwnedMessage[] | null): Promise<void> {
    let messages = first
    for (let failures = 0; !this.#ended; ) {
      if (messages !== null) {
        for (const message of messages) this.take(FeedItem.of(message))
        await this.#receiver.flushed()
        if (messages.length > 0) failures = 0
        else if (++failures > RETRIES) return this.lost()
        else await delay(RETRY_MS)
      }
      if (this.#ended || this.feed.join(this)) return
      try {
        messages = (await replay.after(this.feed.owner, this.#position, PAGE)).messages
      } catch (error) {
        if (!(error instanceof Refusal)) return this.lost()
        messages = []
      }
    }
  }
}
