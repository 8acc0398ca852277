import { Refusal } from '../../protocol/errors.ts'
import type { FeedMessage } from '../../protocol/feed.ts'
import type { AccountId, MarketName } from '../../protocol/identity.ts'
import type { FeedPages } from '../feeds/feedPages.ts'
import { FeedTrimmed } from '../feeds/feedSearch.ts'

const PAGE = 500

export type FillMessage = Extract<FeedMessage, { type: 'fill' }>
type Settled = Extract<FeedMessage, { type: 'settled' }>
/** One that was stored before there were receipts does not say where its leaves are: there are none. */
export type SettledMessage = Omit<Settled, 'receipts'> & Partial<Pick<Settled, 'receipts'>>
export interface FoundTrade {
  readonly fill: FillMessage
  /** null as long as the trade has not settled. */
  readonly settled: SettledMessage | null
}

/** The numbers of one market's trades that a message is about. */
type Numbers = (message: FeedMessage) => readonly number[]

/**
 * Finds a trade in a feed by its number. A market counts its trades, an account hears of its fills in that order, and trades settle in that order too: so the
 * numbers of one market rise along a feed, among fills and among settlements, and the feed can be bisected by them.
 */
export class TradeSearch {
  readonly #feeds: FeedPages
  readonly #account: AccountId
  #left: number

  /** @param most messages that are looked at */
  constructor(feeds: FeedPages, account: AccountId, most: number) {
    this.#feeds = feeds
    this.#account = account
    this.#left = most
  }

  /** @throws Refusal trade_unknown, history_too_long, history_unavailable, venue_overloaded */
  async find(market: MarketName, number: number): Promise<FoundTrade> {
    const prefix = `${market}:`
    const numberOf = (trade: string): number => Number(trade.slice(prefix.length))
    const newest = await this.#feeds.newest(this.#account)
    const fill = await this.#bisect((message) => (message.type === 'fill' && message.market === market ? [numberOf(message.trade)] : []), number, 1, newest)
    if (fill === null) throw new Refusal('trade_unknown')
    const settled = await this.#bisect((message) => (message.type === 'settled' ? message.trades.filter((trade) => trade.startsWith(prefix)).map(numberOf) : []), number, fill.seq + 1, newest)
    return { fill: fill as FillMessage, settled: settled as SettledMessage | null }
  }

  /** The message between two numbers of the feed that is about the trade. */
  async #bisect(numbers: Numbers, wanted: number, first: number, last: number): Promise<FeedMessage | null> {
    let [low, high] = [first, last]
    while (low <= high) {
      const from = high - low < PAGE ? low : low + Math.floor((high - low) / 2)
      let [at, side] = [from - 1, 'none' as 'none' | 'lower' | 'higher']
      while (at < high && side === 'none') {
        const messages = await this.#after(at, Math.min(PAGE, high - at))
        for (const message of messages) {
          const found = numbers(message)
          if (found.length === 0) continue
          if (found.includes(wanted)) return message
          const above = found.some((number) => number > wanted)
          // It would stand between these two, or within this message, and does not.
          if (above && (side === 'lower' || found.some((number) => number < wanted))) return null
          side = above ? 'higher' : 'lower'
          if (above) break
        }
        at = messages.at(-1)?.seq ?? high
      }
      if (side === 'lower') low = at + 1
      else high = from - 1
    }
    return null
  }

  async #after(after: number, limit: number): Promise<readonly FeedMessage[]> {
    try {
      const { messages } = await this.#feeds.after(this.#account, after, limit)
      this.#left -= messages.length
      if (this.#left < 0) throw new Refusal('history_too_long')
      return messages
    } catch (error) {
      // What is asked for is no longer kept: what is kept begins here.
      if (error instanceof FeedTrimmed && error.oldest <= after + limit) return this.#after(error.oldest - 1, limit - (error.oldest - 1 - after))
      if (error instanceof FeedTrimmed) return []
      throw error
    }
  }
}
