import type { NatsConnection } from '@nats-io/transport-node'
import type { MarketName } from '../../protocol/identity.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import type { Log } from '../log.ts'
import { AccountFeed } from './accountFeed.ts'
import type { Replay } from './accountFeed.ts'
import { feedListener, FeedLookUps } from './feedLookUps.ts'

/** The tapes that somebody here follows or has followed: no more than there are markets. */
export class TapeFeeds {
  readonly #connection: NatsConnection
  readonly #subjects: Subjects
  readonly #replay: Replay
  readonly #log: Log
  readonly #feeds = new Map<MarketName, AccountFeed>()
  readonly #lookUps: FeedLookUps

  constructor(connection: NatsConnection, subjects: Subjects, replay: Replay, log: Log) {
    this.#connection = connection
    this.#subjects = subjects
    this.#replay = replay
    this.#log = log
    this.#lookUps = new FeedLookUps(connection, () => [...this.#feeds.values()])
  }

  /** A market's tape, and the number at which it stands at least. @throws Refusal history_unavailable, venue_overloaded */
  async open(market: MarketName): Promise<{ readonly feed: AccountFeed; readonly printed: number }> {
    let feed = this.#feeds.get(market)
    if (feed === undefined) {
      feed = new AccountFeed(market, this.#replay)
      this.#feeds.set(market, feed)
      this.#connection.subscribe(this.#subjects.tape(market), { callback: feedListener(feed, (data) => Buffer.from(data).toString(), this.#log) })
    }
    const printed = await this.#replay.newest(market)
    feed.begin(printed)
    return { feed, printed: Math.max(printed, feed.last) }
  }

  /** Looks up the tapes that have been quiet for long. */
  tick(): void {
    this.#lookUps.tick()
  }

  close(): void {
    this.#lookUps.close()
    for (const feed of this.#feeds.values()) feed.close()
  }
}
