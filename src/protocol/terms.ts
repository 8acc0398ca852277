import type { Lots, OrderCondition, SelfTrade } from './identity.ts'

/** How an order wants to be matched, beside price, quantity and time in force: docs/matching.md. */
export interface OrderTerms {
  readonly postOnly: boolean
  readonly condition: OrderCondition
  /** For `aggregate` and `perCounterparty`; otherwise 0. */
  readonly minimum: Lots
  /** Return what is less than the minimum instead of letting it wait. */
  readonly returnRemainder: boolean
  readonly selfTrade: SelfTrade
}

/** An order that asks for nothing in particular. */
export const plainTerms: OrderTerms = { postOnly: false, condition: 'none', minimum: 0 as Lots, returnRemainder: false, selfTrade: 'cancelNewest' }
