import type { FeedMessage } from './feed.ts'
import type { AccountId, MarketName } from './identity.ts'
import type { TapePrint } from './tape.ts'

/** Whose numbered messages: an account has a feed, a market a tape. */
export type FeedOwner = AccountId | MarketName
export type OwnedMessage = FeedMessage | TapePrint
