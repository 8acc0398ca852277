import type { ErrorCode } from './errors.ts'
import type { Lots, OrderCondition, OrderType, SelfTrade, TimeInForce } from './identity.ts'

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

const conditions: ReadonlySet<string> = new Set(['none', 'aggregate', 'perCounterparty', 'allOrNone'])
const modes: ReadonlySet<string> = new Set(['cancelNewest', 'cancelOldest', 'cancelBoth', 'decrement'])

/** Why what an order of `lots` (0: bounded by a budget) asks for cannot be together (docs/matching.md, "Orders"), or null. */
export function conflictOf(terms: OrderTerms, lots: Lots, type: OrderType, timeInForce: TimeInForce): ErrorCode | null {
  const { postOnly, condition, minimum, returnRemainder, selfTrade } = terms
  if (!conditions.has(condition) || !modes.has(selfTrade)) return 'message_malformed'
  const rests = type === 'limit' && (timeInForce === 'GTC' || timeInForce === 'GTD')
  const bounded = condition === 'aggregate' || condition === 'perCounterparty'
  if ((postOnly || condition === 'allOrNone') && !rests) return 'terms_conflict'
  if ((postOnly && condition !== 'none') || (bounded && timeInForce === 'FOK') || (returnRemainder && !bounded)) return 'terms_conflict'
  if (bounded === (minimum === 0) || (bounded && lots === 0)) return 'terms_conflict'
  if (!bounded) return null
  return Number.isInteger(minimum) && minimum >= 1 && minimum <= lots ? null : 'minimum_out_of_range'
}
