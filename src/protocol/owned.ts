import type { FeedMessage } from './feed.ts'
import type { AccountId, ActorName, MarketName } from './identity.ts'
import type { LeavesMessage } from './leaves.ts'
import type { TapePrint } from './tape.ts'

/** Whose numbered messages: an account has a feed, a market a tape, a settlement actor the leaves of its batches. */
export type FeedOwner = AccountId | MarketName | ActorName
export type OwnedMessage = FeedMessage | TapePrint | LeavesMessage

/** Whose a message is, whichever of the three it is. */
export function ownerOf(message: { readonly account: AccountId } | { readonly actor: ActorName } | { readonly market: MarketName }): FeedOwner {
  if ('account' in message) return message.account
  return 'actor' in message ? message.actor : message.market
}
