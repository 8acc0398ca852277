import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { failure } from '../log.ts'
import type { Log } from '../log.ts'
import type { AccountFeed } from './accountFeed.ts'
import { FeedItem } from './feedItem.ts'

/** A feed that has been quiet for so long is looked up: nobody tells what was lost on its way. */
const QUIET_MS = 15_000
/** Feeds looked up at a time. */
const LOOK_UPS = 16

/** Has a feed hear what comes on its subject. @param read the text of a message, however it is stored */
export function feedListener(feed: AccountFeed, read: (data: Uint8Array) => string, log: Log): (error: Error | null, message: Msg) => void {
  return (error, { data }) => {
    if (error !== null) return log.error({ at: 'feedListener', error: error.name }, 'the subscription to a feed failed')
    let item: FeedItem
    try {
      item = FeedItem.read(read(data))
    } catch (unread) {
      return log.error({ at: 'feedListener', bytes: data.length, ...failure(unread) }, 'a feed message could not be read')
    }
    feed.hear(item)
  }
}

/** Looks up in the store what may have been lost on its way to those who follow feeds here. */
export class FeedLookUps {
  readonly #feeds: () => readonly AccountFeed[]
  /** Those of which the store did not answer when they were looked up last. */
  readonly #unknown = new WeakSet<AccountFeed>()
  #checking = false
  #closed = false

  /** @param feeds that somebody follows now */
  constructor(connection: NatsConnection, feeds: () => readonly AccountFeed[]) {
    this.#feeds = feeds
    void this.#follow(connection)
  }

  /** Looks up the feeds that have been quiet for long, and those that could not be looked up. */
  tick(): void {
    const before = performance.now() - QUIET_MS
    void this.#check((feed) => feed.heard_ms < before || this.#unknown.has(feed))
  }

  close(): void {
    this.#closed = true
  }

  async #check(due: (feed: AccountFeed) => boolean): Promise<void> {
    if (this.#checking || this.#closed) return
    this.#checking = true
    const feeds = this.#feeds().filter(due)
    const work = async (): Promise<void> => {
      for (let feed = feeds.pop(); feed !== undefined && !this.#closed; feed = feeds.pop()) {
        try {
          await feed.check()
          this.#unknown.delete(feed)
        } catch {
          // The store is away, or the connection by which it is read is not back yet: what was missed is looked up at the next tick.
          this.#unknown.add(feed)
        }
      }
    }
    await Promise.all(Array.from({ length: LOOK_UPS }, work))
    this.#checking = false
  }

  /** Whatever was published while there was no connection did not come here. */
  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) if (type === 'reconnect') void this.#check(() => true)
  }
}
