import type { Asset } from '../protocol/market.ts'
import { accountPage, assetGroup } from './pageLayout.ts'

/** More than the contract has assets or groups of them, so that each of the numbers below names one thing. */
const ASSETS = 64

/**
 * Where the contract keeps the four balances that a trade moves. Balances and pages are numbers that are equal where the thing is: a page, which is one ledger entry, holds
 * the balances of 32 accounts in the four assets of a group.
 */
export interface TradePlace {
  /** What the trade adds to: the buyer's base, the seller's quote. */
  readonly credits: readonly [number, number]
  /** What it takes from: the buyer's quote, the seller's base. */
  readonly debits: readonly [number, number]
  /** Buyer and seller. */
  readonly accountPages: readonly [number, number]
  /** Base and quote. */
  readonly groups: readonly [number, number]
}

/** @param buyer and `seller`: the contract's indexes of the accounts */
export function tradePlace(buyer: number, seller: number, base: Asset, quote: Asset): TradePlace {
  return {
    credits: [balance(buyer, base), balance(seller, quote)],
    debits: [balance(buyer, quote), balance(seller, base)],
    accountPages: [accountPage(buyer), accountPage(seller)],
    groups: [assetGroup(base.index), assetGroup(quote.index)],
  }
}

const balance = (account: number, { index }: Asset): number => account * ASSETS + index

/** The page of an account page and a group. */
export const pageOf = (accountPage: number, group: number): number => accountPage * ASSETS + group

/** The pages that a trade moves balances of: two to four, with repeats. */
export const pagesOf = ({ accountPages: [buyer, seller], groups: [base, quote] }: TradePlace): readonly number[] => [
  pageOf(buyer, base),
  pageOf(buyer, quote),
  pageOf(seller, base),
  pageOf(seller, quote),
]
