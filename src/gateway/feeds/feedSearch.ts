import type { FeedOwner, OwnedMessage } from '../../protocol/owned.ts'
import type { FeedStore, StoredMessage } from './feedStore.ts'

/** Stored messages looked through, backwards, for a number that two writers hid between theirs. */
const LOOKED_THROUGH = 4_096
const WINDOW_PLACES = 256
const BATCH = 256

/** A message that is no longer kept: the feed begins at `oldest` now. */
export class FeedTrimmed extends Error {
  readonly oldest: number

  constructor(oldest: number) {
    super(`The feed is kept from ${oldest} on.`)
    this.name = 'FeedTrimmed'
    this.oldest = oldest
  }
}

/**
 * Where to begin to read so that everything from a number on comes, in about as many steps as the stream's length has binary digits.
 *
 * Whoever writes a feed writes one number after the other, and begins again before anything that may be lost. So within one account numbers fall, but rise only by
 * one: between a place with less than the number sought and one with as much there is the number itself, right behind its predecessor, and bisection finds such a
 * place. It need not be the first: what comes behind any of them is as complete, unless the writer has only begun to repeat itself.
 *
 * An actor's old owner may still write while its new one repeats, and then numbers can rise by more. Where bisection ends at such a place, the number was
 * written before, not far back, and is looked for there.
 */
export class FeedSearch<Message extends OwnedMessage> {
  readonly #store: FeedStore<Message>

  constructor(store: FeedStore<Message>) {
    this.#store = store
  }

  /**
   * @param newest a stored message with that number or a higher one
   * @throws FeedTrimmed, Refusal history_unavailable
   */
  async place(owner: FeedOwner, seq: number, newest: StoredMessage<Message>): Promise<number> {
    const [first] = await this.#store.from(owner, 1, 1)
    if (first === undefined) return newest.place
    if (first.message.seq > seq) throw new FeedTrimmed(first.message.seq)
    if (first.message.seq === seq) return first.place
    let [low, high] = [first, newest]
    // From here on to `high` there is nothing of the account.
    let edge = high.place
    while (edge - low.place > 1) {
      const middle = low.place + Math.floor((edge - low.place) / 2)
      const [found] = await this.#store.from(owner, middle, 1)
      if (found === undefined || found.place >= high.place) edge = middle
      else if (found.message.seq < seq) low = found
      else {
        high = found
        edge = found.place
      }
    }
    return high.message.seq === seq ? high.place : ((await this.#before(owner, seq, first.place, low.place)) ?? low.place)
  }

  /** The last place of a number before another place. */
  async #before(owner: FeedOwner, seq: number, first: number, place: number): Promise<number | null> {
    let looked = 0
    for (let [end, window] = [place, WINDOW_PLACES]; end > first && looked < LOOKED_THROUGH; [end, window] = [end - window, window * 2]) {
      let at: number | null = null
      for (let from = Math.max(end - window, first); from < end; ) {
        const batch = await this.#store.from(owner, from, BATCH)
        looked += batch.length
        for (const stored of batch) if (stored.place < end && stored.message.seq === seq) at = stored.place
        from = (batch.at(-1)?.place ?? end) + 1
      }
      if (at !== null) return at
    }
    return null
  }
}
