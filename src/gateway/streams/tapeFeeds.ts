import type { NatsConnection } from '@nats-io/transport-node'
import type { MarketName } from '../../protocol/identity.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import { failure } from '../log.ts'
import type { Log } from '../log.ts'
import { AccountFeed } from './accountFeed.ts'
import type { Replay } from './accountFeed.ts'
import { FeedItem } from './feedItem.ts'

/** A tape that has been quiet for so long is looked up: nobody tells what was lost on its way. */
const QUIET_MS = 15_000

/** The tapes that somebody here follows or has followed: no more than there are markets. */
export class TapeFeeds {
  readonly #connection: NatsConnection
  readonly #subjects: Subjects
  readonly #replay: Replay
  readonly #log: Log
  readonly #feeds = new Map<MarketName, AccountFeed>()
  #checking = false

  constructor(connection: NatsConnection, subjects: Subjects, replay: Replay, log: Log) {
    this.#connection = connection
    this.#subjects = subjects
    this.#replay = replay
    this.#log = log
    void this.#follow()
  }

  /** A market's tape, and the number at which it stands at least. @throws Refusal history_unavailable, venue_overloaded */
  async open(market: MarketName): Promise<{ readonly feed: AccountFeed; readonly printed: number }> {
    let feed = this.#feeds.get(market)
    if (feed === undefined) {
      const made = (feed = new AccountFeed(market, this.#replay))
      this.#feeds.set(market, made)
      this.#connection.subscribe(this.#subjects.tape(market), { callback: (error, message) => this.#hear(made, error, message.data) })
    }
    const printed = await this.#replay.newest(market)
    feed.begin(printed)
    return { feed, printed: Math.max(printed, feed.last) }
  }

  /** Looks up the tapes that have been quiet for long. */
  tick(): void {
    const before = performance.now() - QUIET_MS
    void this.#check(({ heard_ms }) => heard_ms < before)
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close()
  }

  #hear(feed: AccountFeed, error: Error | null, data: Uint8Array): void {
    if (error !== null) return this.#log.error({ at: 'tapeFeeds#hear', error: error.name }, 'the subscription to a tape failed')
    try {
      feed.hear(FeedItem.read(Buffer.from(data).toString()))
    } catch (unread) {
      this.#log.error({ at: 'tapeFeeds#hear', bytes: data.length, ...failure(unread) }, 'a print could not be read')
    }
  }

  async #check(due: (feed: AccountFeed) => boolean): Promise<void> {
    if (this.#checking) return
    this.#checking = true
    for (const feed of this.#feeds.values()) {
      if (!due(feed)) continue
      try {
        await feed.check()
      } catch {
        // The store is away: what was missed is looked up again when it has been quiet for as long once more, or when the connection is back.
      }
    }
    this.#checking = false
  }

  /** Whatever was published while there was no connection did not come here. */
  async #follow(): Promise<void> {
    for await (const { type } of this.#connection.status()) if (type === 'reconnect') void this.#check(() => true)
  }
}
