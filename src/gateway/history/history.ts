import { Refusal } from '../../protocol/errors.ts'
import type { FeedMessage } from '../../protocol/feed.ts'
import type { AccountId, MarketName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { FeedOwner, OwnedMessage } from '../../protocol/owned.ts'
import type { Admission } from '../admission.ts'
import type { Caller } from '../caller.ts'
import type { FeedPages } from '../feeds/feedPages.ts'
import type { Policy } from '../limits/policy.ts'
import { TradeSearch } from './tradeSearch.ts'
import type { FoundTrade } from './tradeSearch.ts'

const PAGE = 500
/** A trade's search reads up to this many times as much as a list. */
const SEARCH_COUNT = 4

/** Items of a list, newest first, and where to go on: null where the kept history begins. */
export interface HistoryPage<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

/** Whose history is read, and by which key; a tape's, by which address. */
export interface HistoryReader {
  readonly account: FeedOwner
  readonly reader: string
}

/** What has happened to an account, as its feed told it, for as long as that is kept. */
export class History<Message extends OwnedMessage = FeedMessage> {
  readonly #feeds: FeedPages<Message>
  readonly #admission: Admission
  readonly #rate: Policy
  readonly #searched: number

  /** @param searched messages looked at for one trade at most */
  constructor(feeds: FeedPages<Message>, admission: Admission, rate: Policy, searched: number = limits.historySearch) {
    this.#feeds = feeds
    this.#admission = admission
    this.#rate = rate
    this.#searched = searched
  }

  /**
   * What `pick` takes of the messages before a cursor. A page ends when it is full, or has looked at as many messages as one request may: it can hold
   * fewer items than asked for, even none, and go on all the same.
   * @throws Refusal request_malformed, rate_exceeded, history_unavailable, venue_overloaded, venue_not_ready
   */
  list<Item>(reader: HistoryReader, caller: Caller, { cursor, limit }: { cursor: string | undefined; limit: number }, pick: (message: Message) => Item | null): Promise<HistoryPage<Item>> {
    const before = cursor === undefined ? null : Number(cursor)
    if (before !== null && !(Number.isSafeInteger(before) && before > 0)) throw new Refusal('request_malformed', 'cursor')
    const { account } = reader
    return this.#admitted(reader, caller, 1, async () => {
      const items: Item[] = []
      let at = before
      for (let looked = 0; looked < limits.historyScan; ) {
        const page = await this.#feeds.before(account, at, Math.min(PAGE, limits.historyScan - looked))
        for (const message of page.messages) {
          at = message.seq
          const item = pick(message)
          if (item !== null && items.push(item) === limit) return { items, next: at > page.last || page.more ? String(at) : null }
        }
        if (!page.more) return { items, next: null }
        looked += Math.max(page.messages.length, 1)
        at = page.last
      }
      return { items, next: String(at) }
    })
  }

  /** A fill of the account and what settled it. @throws Refusal trade_unknown, history_too_long, rate_exceeded, history_unavailable, venue_overloaded, venue_not_ready */
  trade(this: History, reader: HistoryReader, caller: Caller, market: MarketName, number: number): Promise<FoundTrade> {
    return this.#admitted(reader, caller, SEARCH_COUNT, () => new TradeSearch(this.#feeds, reader.account as AccountId, this.#searched).find(market, number))
  }

  async #admitted<Result>({ reader }: HistoryReader, caller: Caller, count: number, work: () => Promise<Result>): Promise<Result> {
    this.#rate.take(reader, caller, count)
    this.#admission.enter()
    try {
      return await work()
    } finally {
      this.#admission.leave()
    }
  }
}
