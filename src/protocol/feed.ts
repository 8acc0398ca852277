import type { AccountId, SelfTrade } from './identity.ts'
import type { KeyScope } from './vault.ts'

/**
 * One message of a trader's private feed, as JSON text on `dp.v1.<venue>.feed.<account>`. `seq` counts from 1 without a gap; a reader that
 * sees a number it has seen drops the message. Decimals are strings, times ISO 8601.
 */
export type FeedMessage = { readonly v: 1; readonly seq: number; readonly account: AccountId; readonly time: string } & FeedEvent

const beginning = /^\{"v":1,"seq":([1-9][0-9]{0,15}),/

/** The number of a message by its text, which begins with it. @throws Error where it does not */
export function feedNumber(text: string): number {
  const seq = beginning.exec(text)?.[1]
  if (seq === undefined) throw new Error('the text of a feed message begins with its number')
  return Number(seq)
}

export type FeedEvent =
  /**
   * The order as it now stands: when it begins to rest and when it is closed. That it was taken up is what the answer to its
   * request says, and what it trades in between comes as `fill`, always before the `order` that closes it.
   */
  | { readonly type: 'order'; readonly order: OrderView }
  | {
      readonly type: 'fill'
      readonly trade: string
      readonly order: string
      readonly market: string
      readonly side: 'buy' | 'sell'
      readonly role: 'maker' | 'taker'
      readonly price: string
      readonly quantity: string
      readonly quote: string
      /** Taken from what this side receives: base for a buy, quote for a sell. "0" where there is none. */
      readonly fee: string
      readonly feeAsset: string
    }
  | { readonly type: 'settled'; readonly trades: readonly string[]; readonly transaction: string; readonly ledger: number; readonly receipts: ReceiptPlaces }
  | { readonly type: 'deposit'; readonly asset: string; readonly amount: string; readonly transaction: string; readonly ledger: number }
  | { readonly type: 'withdrawal'; readonly withdrawal: WithdrawalView }
  /** A delegated key: what it may do from now on, or that it may nothing any more. That its time is over is not told: `until` says when. */
  | ({ readonly type: 'key' } & KeyView)

/** Of which leaves the receipts of settled trades are made: the venue finds them by it (receipt.ts). */
export interface ReceiptPlaces {
  readonly sequence: number
  /** Of the batch: two for each of its trades. */
  readonly size: number
  /** Number of the stored message that has the first of them. */
  readonly from: number
  /** Where the leaf of each of the trades stands. */
  readonly leaves: readonly number[]
}

/** An order as its owner sees it, in answers and in the feed. */
export interface OrderView {
  readonly id: string
  /** The nonce of the message that placed it. */
  readonly clientOrderId: string
  readonly market: string
  readonly side: 'buy' | 'sell'
  readonly type: 'limit' | 'market'
  readonly timeInForce: string
  /** null for a market buy bounded by `spend`. */
  readonly price: string | null
  readonly quantity: string | null
  readonly spend: string | null
  readonly filledQuantity: string
  readonly filledQuote: string
  readonly postOnly: boolean
  readonly allOrNone: boolean
  readonly minimum: string | null
  /** What has to reach the minimum: the fills of one execution together, or every single one. */
  readonly minimumPer: 'execution' | 'counterparty' | null
  /** What happens to less than the minimum. */
  readonly remainder: 'keep' | 'return'
  readonly selfTrade: SelfTrade
  readonly status: 'pending' | 'open' | 'filled' | 'cancelled' | 'expired' | 'rejected'
  readonly reason: string | null
  readonly expires: string
  readonly created: string
  readonly updated: string
}

/** A delegated key as the owner of the account sees it. */
export interface KeyView {
  readonly key: string
  readonly scope: KeyScope
  /** A market, or "all". */
  readonly market: string
  readonly until: string
  readonly status: 'active' | 'expired' | 'revoked'
}

export interface WithdrawalView {
  readonly id: string
  readonly asset: string
  readonly amount: string
  readonly status: 'requested' | 'cosigned' | 'completed' | 'expired' | 'refused'
  readonly authorization: string | null
  readonly validUntil: number | null
  readonly transaction: string | null
  readonly ledger: number | null
}
