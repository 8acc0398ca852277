import { Refusal } from '../../protocol/errors.ts'
import type { FeedMessage } from '../../protocol/feed.ts'
import { limits } from '../../protocol/limits.ts'
import type { FeedOwner, OwnedMessage } from '../../protocol/owned.ts'
import { FeedSearch, FeedTrimmed } from './feedSearch.ts'
import type { FeedStore, StoredMessage } from './feedStore.ts'
import { Turns } from './turns.ts'

/** Messages asked of the store at once. */
const BATCH = 256
const LEAST_BATCH = 16
/** How many messages are read to complete a page: repeats take what it does not ask for. */
const readFor = (limit: number): number => limit * 4 + 1_024

/** Messages of one feed with consecutive numbers. */
export interface FeedPage<Message extends OwnedMessage = FeedMessage> {
  readonly messages: readonly Message[]
  /** The number to go on from: that of the last message here, or the one that was asked for. */
  readonly last: number
  /** Whether there was more in that direction. What is published while a page is read may or may not count. */
  readonly more: boolean
}

/**
 * Pages of one account's feed, or one market's tape, out of the stream: every number once and in order, whatever the stream repeats and whoever else is in it. Each page costs about
 * the same wherever it begins, and is bounded in messages and bytes.
 *
 * A page shows what is stored, which is a moment behind what is published. Where a lower number stands last, since an actor has begun to store again what may have
 * been lost, or its old owner had a last word, pages may end earlier than some before did; none leaves a number out.
 */
export class FeedPages<Message extends OwnedMessage = FeedMessage> {
  readonly #store: FeedStore<Message>
  readonly #search: FeedSearch<Message>
  readonly #turns = new Turns(limits.historyReads, limits.historyReadsWaiting)

  constructor(store: FeedStore<Message>) {
    this.#store = store
    this.#search = new FeedSearch(store)
  }

  /** The highest number stored last; 0 for a feed without messages. @throws Refusal history_unavailable, venue_overloaded */
  newest(owner: FeedOwner): Promise<number> {
    return this.#turns.take(async () => (await this.#store.last(owner))?.message.seq ?? 0)
  }

  /**
   * What follows a number, oldest first.
   * @throws FeedTrimmed where the next message is no longer kept, Refusal history_unavailable, venue_overloaded
   */
  after(owner: FeedOwner, after: number, limit: number): Promise<FeedPage<Message>> {
    return this.#turns.take(async () => {
      const newest = await this.#store.last(owner)
      if (newest === null || newest.message.seq <= after) return { messages: [], last: after, more: false }
      const messages = await this.#find(owner, after, limit, newest)
      const last = messages.at(-1)?.seq ?? after
      return { messages, last, more: newest.message.seq > last }
    })
  }

  /**
   * What precedes a number, or the newest, newest first. It ends where the kept feed begins.
   * @throws Refusal history_unavailable, venue_overloaded
   */
  before(owner: FeedOwner, before: number | null, limit: number): Promise<FeedPage<Message>> {
    return this.#turns.take(async () => {
      const newest = await this.#store.last(owner)
      const [oldest] = newest === null ? [] : await this.#store.from(owner, 1, 1)
      const end = Math.min(before === null ? Infinity : before - 1, newest?.message.seq ?? 0)
      if (newest === null || oldest === undefined || oldest.message.seq > end) return { messages: [], last: before ?? 0, more: false }
      // A page that is too large in bytes ends early, at its wrong end: then fewer messages are asked for.
      for (let count = limit; ; count = Math.ceil(count / 4)) {
        const first = Math.max(oldest.message.seq, end - count + 1)
        const messages = await this.#forward(owner, first, end, newest)
        if (messages.at(-1)?.seq !== end && count > 1) continue
        return { messages: messages.reverse(), last: messages.at(-1)?.seq ?? first, more: first > oldest.message.seq }
      }
    })
  }

  /** The messages from one number to another, or what is kept of them. */
  async #forward(owner: FeedOwner, first: number, end: number, newest: StoredMessage<Message>): Promise<Message[]> {
    try {
      return await this.#find(owner, first - 1, end - first + 1, newest)
    } catch (error) {
      // Trimmed while it was read.
      if (error instanceof FeedTrimmed && error.oldest <= end) return this.#forward(owner, error.oldest, end, newest)
      if (error instanceof FeedTrimmed) return []
      throw error
    }
  }

  /**
   * The numbers behind `after`, up to `limit` of them, wherever they stand. A server that was killed may have lost its last messages, and what is stored anew stands at other
   * places than those that were found before: so what seems to be gone is looked for once more.
   */
  async #find(owner: FeedOwner, after: number, limit: number, newest: StoredMessage<Message>): Promise<Message[]> {
    try {
      return await this.#look(owner, after, limit, newest)
    } catch (error) {
      if (!(error instanceof FeedTrimmed)) throw error
      const now = await this.#store.last(owner)
      if (now === null || now.message.seq <= after) throw new Refusal('history_unavailable')
      return this.#look(owner, after, limit, now)
    }
  }

  async #look(owner: FeedOwner, after: number, limit: number, newest: StoredMessage<Message>): Promise<Message[]> {
    return this.#read(owner, await this.#search.place(owner, after + 1, newest), after, limit)
  }

  /** The same as they stand in the stream from a place on. */
  async #read(owner: FeedOwner, place: number, after: number, limit: number): Promise<Message[]> {
    const found = new Map<number, Message>()
    const messages: Message[] = []
    let next = after + 1
    let [bytes, read, from] = [0, 0, place]
    while (messages.length < limit && bytes < limits.historyBytes) {
      const batch = await this.#store.from(owner, from, Math.min(BATCH, Math.max(LEAST_BATCH, limit - messages.length)))
      for (const { message, bytes: size } of batch) {
        const { seq } = message
        if (seq < next || seq > after + limit || found.has(seq)) continue
        found.set(seq, message)
        bytes += size
        for (let ready = found.get(next); ready !== undefined; ready = found.get(next)) {
          messages.push(ready)
          found.delete(next++)
        }
      }
      read += batch.length
      if (batch.length === 0 || read > readFor(limit)) break
      from = batch.at(-1)!.place + 1
    }
    if (messages.length === 0 && found.size > 0) throw new FeedTrimmed(Math.min(...found.keys()))
    if (messages.length === 0) throw new Refusal('history_unavailable')
    return messages
  }
}
