import type { FeedMessage, OrderView } from '../../protocol/feed.ts'
import type { TapePrint } from '../../protocol/tape.ts'
import type { BalanceView } from './account.ts'
import type { MarketStateView } from './venue.ts'

/** What can be followed. The first four are parts of the account's feed. */
export type Channel = 'orders' | 'fills' | 'settlement' | 'keys' | 'balances' | 'market' | 'tape'

/** As in answers, or of a market that nobody keeps now. */
export type MarketNews =
  | MarketStateView
  | { readonly name: string; readonly state: 'unavailable'; readonly lowestPrice: string | null; readonly highestPrice: string | null }

/** One message of a stream. `seq` is a number of the account's feed. */
export type StreamMessage =
  /** Everything as it is at `seq`: at the beginning, and again where messages were lost. Balances and markets also after each cut. */
  | { readonly type: 'snapshot'; readonly channel: 'orders'; readonly seq: number; readonly data: readonly OrderView[] }
  | { readonly type: 'snapshot'; readonly channel: 'balances'; readonly seq: number; readonly data: readonly BalanceView[] }
  | { readonly type: 'snapshot'; readonly channel: 'market'; readonly data: readonly MarketNews[] }
  | { readonly type: 'update'; readonly channel: 'orders'; readonly seq: number; readonly data: Extract<FeedMessage, { type: 'order' }> }
  | { readonly type: 'update'; readonly channel: 'fills'; readonly seq: number; readonly data: Extract<FeedMessage, { type: 'fill' }> }
  | { readonly type: 'update'; readonly channel: 'settlement'; readonly seq: number; readonly data: Extract<FeedMessage, { type: 'settled' | 'deposit' | 'withdrawal' }> }
  | { readonly type: 'update'; readonly channel: 'keys'; readonly seq: number; readonly data: Extract<FeedMessage, { type: 'key' }> }
  | { readonly type: 'update'; readonly channel: 'balances'; readonly seq: number; readonly data: readonly BalanceView[] }
  | { readonly type: 'update'; readonly channel: 'market'; readonly data: MarketNews }
  /** `seq` is a number of the market's tape, which has its own. */
  | { readonly type: 'update'; readonly channel: 'tape'; readonly seq: number; readonly data: TapePrint }
  /** What these channels had behind number `after` is no longer kept, as after a week away: they begin anew, orders with a snapshot. Tapes have numbers of their own: `after` is 0. */
  | { readonly type: 'lost'; readonly channels: readonly Channel[]; readonly after: number }
