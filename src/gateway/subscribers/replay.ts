import { Refusal } from '../../protocol/errors.ts'
import type { FeedMessage } from '../../protocol/feed.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { ReplayRequest } from '../../protocol/nats.ts'
import type { FeedPages } from '../feeds/feedPages.ts'
import { FeedTrimmed } from '../feeds/feedSearch.ts'
import { pageBehind } from '../feeds/resumption.ts'

export interface ReplayPage {
  readonly messages: readonly FeedMessage[]
  /** The number to go on from. */
  readonly last: number
  readonly more: boolean
}

/** Pages of an account's own feed, read on its behalf: traders have no way to the store themselves. */
export class Replay {
  readonly #pages: FeedPages
  readonly #fed: (account: AccountId) => Promise<number>

  /** @param fed asks an account's vault actor how far its feed has come @throws Refusal */
  constructor(pages: FeedPages, fed: (account: AccountId) => Promise<number>) {
    this.#pages = pages
    this.#fed = fed
  }

  /** @throws Refusal feed_trimmed, history_unavailable, venue_overloaded; where nothing of the feed is kept, what its vault actor refuses with */
  async page(account: AccountId, { after, limit = limits.replayMessages }: ReplayRequest): Promise<ReplayPage> {
    if (after === undefined) return { messages: [], last: (await this.#pages.newest(account)) || (await this.#fed(account)), more: false }
    try {
      const { messages, more } = await pageBehind(this.#pages, account, after, limit, () => this.#fed(account))
      const fitting = count(messages)
      return { messages: messages.slice(0, fitting), last: messages[fitting - 1]?.seq ?? after, more: more || fitting < messages.length }
    } catch (error) {
      // The message that names where to begin is the account's own: its number says nothing else.
      throw error instanceof FeedTrimmed ? new Refusal('feed_trimmed', `kept from ${error.oldest} on`) : error
    }
  }
}

/** How many of them one answer holds: at least one, and then as many as are not too long together. */
function count(messages: readonly FeedMessage[]): number {
  let bytes = 0
  const past = messages.findIndex((message) => (bytes += JSON.stringify(message).length) > limits.replayBytes)
  return past === -1 ? messages.length : Math.max(past, 1)
}
