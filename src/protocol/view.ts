import type { KeyView, OrderView, WithdrawalView } from './feed.ts'
import type { Milliseconds } from './identity.ts'
import { formatAmount } from './market.ts'
import type { Asset, Market } from './market.ts'
import type { KeyState, OrderState, WithdrawalState } from './vault.ts'

/** Formatted times, each in the slot of its last digits. */
const slots = 1024
const times = new Float64Array(slots).fill(NaN)
const texts = new Array<string>(slots).fill('')

/**
 * ISO 8601. A batch writes the same few times many times over, and formatting one is the dearest part of a feed message: those written last
 * are kept.
 */
export function isoTime(milliseconds: number): string {
  // Whole seconds, as expiries are, would share few slots if only the last digits counted.
  const slot = (milliseconds ^ (milliseconds / 1000)) & (slots - 1)
  if (times[slot] !== milliseconds) {
    texts[slot] = new Date(milliseconds).toISOString()
    times[slot] = milliseconds
  }
  return texts[slot] as string
}

/** An order in its market's decimals. */
export function orderView(order: OrderState, market: Market): OrderView {
  const bounded = order.lots > 0
  return {
    id: order.id,
    clientOrderId: order.clientOrderId,
    market: order.market,
    side: order.side,
    type: order.type,
    timeInForce: order.timeInForce,
    price: order.ticks > 0 ? market.formatPrice(order.ticks) : null,
    quantity: bounded ? market.formatQuantity(order.lots) : null,
    spend: bounded ? null : formatAmount(order.spend, market.rules.quote),
    filledQuantity: market.formatQuantity(order.filledLots),
    filledQuote: formatAmount(order.filledQuote, market.rules.quote),
    ...termsView(order, market),
    status: order.status,
    reason: order.reason,
    expires: isoTime(order.expires * 1000),
    created: isoTime(order.created),
    updated: isoTime(order.updated),
  }
}

/** What the order asked for besides, in the words of its message. */
function termsView({ terms }: OrderState, market: Market) {
  const { postOnly, condition, minimum, returnRemainder, selfTrade } = terms
  return {
    postOnly,
    allOrNone: condition === 'allOrNone',
    minimum: minimum > 0 ? market.formatQuantity(minimum) : null,
    minimumPer: condition === 'aggregate' ? ('execution' as const) : condition === 'perCounterparty' ? ('counterparty' as const) : null,
    remainder: returnRemainder ? ('return' as const) : ('keep' as const),
    selfTrade,
  }
}

/** A delegated key, at a time by which its own may be over. */
export function keyView({ key, scope, market, until, status }: KeyState, time: Milliseconds): KeyView {
  return { key, scope, market: market ?? 'all', until: isoTime(until * 1000), status: status === 'active' && time >= until * 1000 ? 'expired' : status }
}

/** A withdrawal in its asset's decimals. */
export function withdrawalView(withdrawal: WithdrawalState, asset: Asset): WithdrawalView {
  const { account: _, ...shown } = withdrawal
  return { ...shown, asset: asset.code, amount: formatAmount(withdrawal.amount, asset) }
}
