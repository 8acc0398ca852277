import assert from 'node:assert/strict'
import type { AmendRefusal, CloseReason } from '../../protocol/pair.ts'
import { cancellationName, refusalName } from './book/events.ts'
import type { CancellationName, RefusalName } from './book/terms.ts'

/** What the book's reasons are called where traders read them. */
const closings: Readonly<Record<CancellationName, CloseReason>> = {
  requested: 'cancelled',
  self_trade: 'self_trade',
  no_liquidity: 'no_liquidity',
  fok_unfillable: 'fok_unfillable',
  minimum_unmet: 'minimum_unmet',
  // It bought all that its money pays for.
  budget_spent: 'filled',
  remainder_returned: 'remainder_returned',
}

const rejections: Readonly<Record<RefusalName, CloseReason | null>> = {
  market_halted: 'market_halted',
  market_cancel_only: 'market_cancel_only',
  price_outside_band: 'price_outside_band',
  post_only_would_trade: 'post_only_would_trade',
  account_orders_exceeded: 'account_orders_exceeded',
  market_full: 'market_full',
  conditional_orders_exceeded: 'conditional_orders_exceeded',
  // The vault actor has checked these, by the bounds that it knows.
  price_out_of_range: 'terms_out_of_range',
  quantity_too_small: 'terms_out_of_range',
  quantity_too_large: 'terms_out_of_range',
  minimum_exceeds_quantity: 'terms_out_of_range',
  value_too_large: 'terms_out_of_range',
  conditions_conflict: 'terms_out_of_range',
  // Of a number that is used once, or of another command.
  id_in_use: null,
  order_not_open: null,
  amend_too_late: null,
}

const amendRefusals: Readonly<Partial<Record<RefusalName, AmendRefusal>>> = {
  order_not_open: 'order_not_open',
  market_halted: 'market_halted',
  market_cancel_only: 'market_cancel_only',
  price_out_of_range: 'price_out_of_range',
  price_outside_band: 'price_outside_band',
  quantity_too_small: 'quantity_out_of_range',
  quantity_too_large: 'quantity_out_of_range',
  value_too_large: 'order_value_exceeded',
  amend_too_late: 'amend_too_late',
  post_only_would_trade: 'post_only_would_trade',
}

export const closedBy = (cancellation: number): CloseReason => closings[cancellationName(cancellation)]

export function rejectedBy(refusal: number): CloseReason {
  const reason = rejections[refusalName(refusal)]
  assert(reason !== null, 'a new order is refused for its own sake')
  return reason
}

export function refusedBy(refusal: number): AmendRefusal {
  const reason = amendRefusals[refusalName(refusal)]
  assert(reason !== undefined, 'an amend or a cancel is refused for a reason that they can have')
  return reason
}
