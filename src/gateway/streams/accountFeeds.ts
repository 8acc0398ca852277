import type { Msg, NatsConnection, Subscription as NatsSubscription } from '@nats-io/transport-node'
import type { AccountId } from '../../protocol/identity.ts'
import type { Standing } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import type { ReadFeed } from '../feeds/feedStore.ts'
import { failure } from '../log.ts'
import type { Log } from '../log.ts'
import { AccountFeed } from './accountFeed.ts'
import type { Replay } from './accountFeed.ts'
import { BalanceWatch } from './balanceWatch.ts'
import { FeedItem } from './feedItem.ts'

/** A feed that has been quiet for so long is looked up: nobody tells what was lost on its way. */
const QUIET_MS = 15_000
/** Feeds looked up at a time. */
const LOOK_UPS = 16

export interface Followed {
  readonly feed: AccountFeed
  readonly balances: BalanceWatch
}

interface Entry extends Followed {
  readonly subscription: NatsSubscription
  users: number
}

/** Asks an account's vault actor where the account stands. @throws Refusal */
export type AskStanding = (account: AccountId, wanted: { readonly orders: boolean; readonly balances: boolean }) => Promise<Standing>

/** The feeds that somebody here follows: one subscription on NATS for each account, however many connections want it. */
export class AccountFeeds {
  readonly #connection: NatsConnection
  readonly #venue: Venue
  readonly #replay: Replay
  readonly #standing: AskStanding
  readonly #read: ReadFeed
  readonly #log: Log
  readonly #entries = new Map<AccountId, Entry>()
  #checking = false
  #closed = false

  constructor(connection: NatsConnection, venue: Venue, replay: Replay, standing: AskStanding, read: ReadFeed, log: Log) {
    this.#read = read
    this.#connection = connection
    this.#venue = venue
    this.#replay = replay
    this.#standing = standing
    this.#log = log
    void this.#follow()
  }

  get size(): number {
    return this.#entries.size
  }

  /** Every call is paired with one of `release`. */
  acquire(account: AccountId): Followed {
    const known = this.#entries.get(account)
    if (known !== undefined) {
      known.users++
      return known
    }
    const feed = new AccountFeed(account, this.#replay)
    const balances = new BalanceWatch(() => this.#standing(account, { orders: false, balances: true }), this.#venue, this.#log)
    feed.onMoved = () => balances.moved()
    const subscription = this.#connection.subscribe(this.#venue.subjects.feed(account), { callback: (error, message) => this.#hear(feed, error, message) })
    const entry: Entry = { feed, balances, subscription, users: 1 }
    this.#entries.set(account, entry)
    return entry
  }

  get(account: AccountId): Followed | undefined {
    return this.#entries.get(account)
  }

  release(account: AccountId): void {
    const entry = this.#entries.get(account)
    if (entry === undefined || --entry.users > 0) return
    this.#entries.delete(account)
    this.#end(entry)
  }

  /** Looks up the feeds that have been quiet for long. */
  tick(): void {
    const before = performance.now() - QUIET_MS
    void this.#check(({ heard_ms }) => heard_ms < before)
  }

  close(): void {
    this.#closed = true
    for (const entry of this.#entries.values()) this.#end(entry)
    this.#entries.clear()
  }

  #end({ feed, balances, subscription }: Entry): void {
    subscription.unsubscribe()
    feed.close()
    balances.close()
  }

  #hear(feed: AccountFeed, error: Error | null, message: Msg): void {
    if (error !== null) return this.#log.error({ at: 'accountFeeds#hear', error: error.name }, 'the subscription to a feed failed')
    let item: FeedItem
    try {
      item = FeedItem.read(this.#read(feed.owner as AccountId, message.data))
    } catch (unread) {
      return this.#log.error({ at: 'accountFeeds#hear', bytes: message.data.length, ...failure(unread) }, 'a feed message could not be read')
    }
    feed.hear(item)
  }

  async #check(due: (feed: AccountFeed) => boolean): Promise<void> {
    if (this.#checking || this.#closed) return
    this.#checking = true
    const feeds = [...this.#entries.values()].map(({ feed }) => feed).filter(due)
    const work = async (): Promise<void> => {
      for (let feed = feeds.pop(); feed !== undefined && !this.#closed; feed = feeds.pop()) {
        try {
          await feed.check()
        } catch {
          // The store is away: what was missed is looked up again when it has been quiet for as long once more, or when the connection is back.
        }
      }
    }
    await Promise.all(Array.from({ length: LOOK_UPS }, work))
    this.#checking = false
  }

  /** Whatever was published while there was no connection did not come here. */
  async #follow(): Promise<void> {
    for await (const { type } of this.#connection.status()) if (type === 'reconnect') void this.#check(() => true)
  }
}
