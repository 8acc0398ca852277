import type { ErrorCode } from '../protocol/errors.ts'
import type { Entry } from './orderEntry.ts'

/** What order entry can be refused with, besides what any signed message can, whichever way it comes: over HTTP, a stream or NATS. */
export const entryCodes = {
  place: [
    'market_unknown', 'asset_mismatch', 'decimal_malformed', 'price_off_tick', 'price_out_of_range', 'quantity_off_lot', 'quantity_out_of_range', 'minimum_out_of_range', 'terms_conflict',
    'order_value_exceeded', 'account_unknown', 'funds_insufficient', 'open_orders_exceeded', 'client_order_id_in_use', 'chain_diverged', 'market_unavailable',
  ],
  amend: [
    'decimal_malformed', 'price_off_tick', 'price_out_of_range', 'quantity_off_lot', 'quantity_out_of_range', 'order_value_exceeded', 'terms_conflict', 'account_unknown', 'order_unknown',
    'order_not_open', 'funds_insufficient', 'amend_too_late', 'amends_exceeded', 'price_outside_band', 'post_only_would_trade', 'minimum_out_of_range', 'market_halted', 'market_cancel_only', 'market_unavailable', 'chain_diverged',
  ],
  cancel: ['account_unknown', 'order_unknown', 'order_not_open', 'market_halted', 'market_unavailable'],
  cancelAll: ['market_unknown', 'account_unknown', 'cancels_exceeded', 'market_unavailable'],
  deadMan: ['timeout_out_of_range', 'account_unknown', 'timers_exceeded', 'market_unavailable'],
} as const satisfies Readonly<Record<Entry, readonly ErrorCode[]>>
