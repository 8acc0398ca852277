import type { OrderView, WithdrawalView } from './feed.ts'
import { formatAmount } from './market.ts'
import type { Asset, Market } from './market.ts'
import type { OrderState, WithdrawalState } from './vault.ts'

let lastTime = NaN
let lastText = ''

/** ISO 8601. The time of a batch is written many times in a row, and formatting it is the dearest part of a feed message: the last one is kept. */
export function isoTime(milliseconds: number): string {
  if (milliseconds !== lastTime) {
    lastText = new Date(milliseconds).toISOString()
    lastTime = milliseconds
  }
  return lastText
}

/** An order in its market's decimals. */
export function orderView(order: OrderState, market: Market): OrderView {
  const bounded = order.lots > 0
  return {
    id: order.id,
    market: order.market,
    side: order.side,
    type: order.type,
    timeInForce: order.timeInForce,
    price: order.ticks > 0 ? market.formatPrice(order.ticks) : null,
    quantity: bounded ? market.formatQuantity(order.lots) : null,
    spend: bounded ? null : formatAmount(order.spend, market.rules.quote),
    filledQuantity: market.formatQuantity(order.filledLots),
    filledQuote: formatAmount(order.filledQuote, market.rules.quote),
    status: order.status,
    reason: order.reason,
    expires: isoTime(order.expires * 1000),
    created: isoTime(order.created),
    updated: isoTime(order.updated),
  }
}

/** A withdrawal in its asset's decimals. */
export function withdrawalView(withdrawal: WithdrawalState, asset: Asset): WithdrawalView {
  const { account: _, ...shown } = withdrawal
  return { ...shown, asset: asset.code, amount: formatAmount(withdrawal.amount, asset) }
}
