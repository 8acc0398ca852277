import type { NatsConnection, Subscription as NatsSubscription } from '@nats-io/transport-node'
import type { AccountId } from '../../protocol/identity.ts'
import type { Standing } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import type { ReadFeed } from '../feeds/feedStore.ts'
import type { Log } from '../log.ts'
import { AccountFeed } from './accountFeed.ts'
import type { Replay } from './accountFeed.ts'
import { BalanceWatch } from './balanceWatch.ts'
import { feedListener, FeedLookUps } from './feedLookUps.ts'

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
  readonly #lookUps: FeedLookUps

  constructor(connection: NatsConnection, venue: Venue, replay: Replay, standing: AskStanding, read: ReadFeed, log: Log) {
    this.#read = read
    this.#connection = connection
    this.#venue = venue
    this.#replay = replay
    this.#standing = standing
    this.#log = log
    this.#lookUps = new FeedLookUps(connection, () => [...this.#entries.values()].map(({ feed }) => feed))
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
    const subscription = this.#connection.subscribe(this.#venue.subjects.feed(account), { callback: feedListener(feed, (data) => this.#read(account, data), this.#log) })
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
    this.#lookUps.tick()
  }

  close(): void {
    this.#lookUps.close()
    for (const entry of this.#entries.values()) this.#end(entry)
    this.#entries.clear()
  }

  #end({ feed, balances, subscription }: Entry): void {
    subscription.unsubscribe()
    feed.close()
    balances.close()
  }
}
