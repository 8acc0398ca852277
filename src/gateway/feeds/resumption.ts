import { setTimeout as delay } from 'node:timers/promises'
import type { FeedOwner, OwnedMessage } from '../../protocol/owned.ts'
import type { FeedPage } from './feedPages.ts'
import { FeedTrimmed } from './feedSearch.ts'

/** How long what was published may take to be stored, before a feed of which nothing is kept is taken for one that was kept no longer. */
const STORED_MS = 1_000
const LOOK_MS = 100

/** What is stored of feeds (FeedPages). */
interface Stored<Message extends OwnedMessage> {
  after(owner: FeedOwner, after: number, limit: number): Promise<Pick<FeedPage<Message>, 'messages' | 'more'>>
  newest(owner: FeedOwner): Promise<number>
}

/**
 * What follows the number that somebody resumes from. Where nothing is kept of the feed at all, there is nobody but its vault actor who knows whether there was more:
 * an empty page would tell a reader that it has missed nothing.
 * @param fed how far the feed has come: asked where the store has nothing of it
 * @throws FeedTrimmed where the next message is no longer kept, Refusal history_unavailable, venue_overloaded
 */
export async function pageBehind<Message extends OwnedMessage>(stored: Stored<Message>, owner: FeedOwner, after: number, limit: number, fed: () => number | Promise<number>): Promise<Pick<FeedPage<Message>, 'messages' | 'more'>> {
  let last: number | null = null
  for (const end = performance.now() + STORED_MS; ; await delay(LOOK_MS)) {
    const page = await stored.after(owner, after, limit)
    if (page.messages.length > 0 || (await stored.newest(owner)) > 0) return page
    last ??= await fed()
    if (last <= after) return page
    if (performance.now() >= end) throw new FeedTrimmed(last + 1)
  }
}
