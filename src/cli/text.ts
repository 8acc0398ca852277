import type { AmendView, CancelView } from '../client/views/orders.ts'
import type { FeedMessage, KeyView, OrderView, WithdrawalView } from '../protocol/feed.ts'
import { table } from './table.ts'

/** What people read. */
const nothing = '—'

export function orderText(order: OrderView): string {
  const [base, quote] = order.market.split('-')
  const amount = order.quantity === null ? `for ${order.spend} ${quote}` : `${order.quantity} ${base}`
  const price = order.price === null ? '' : ` at ${order.price} ${quote}`
  const filled = order.filledQuantity === '0' ? 'nothing traded' : `${order.filledQuantity} ${base} traded for ${order.filledQuote} ${quote}`
  const why = order.reason === null || order.reason === order.status ? '' : ` (${order.reason})`
  return `${order.side} ${amount}${price}: ${order.status}${why}, ${filled}\norder ${order.id}`
}

/** The order that a refusal was about, as it was found. */
export function foundText(order: CancelView | AmendView): string {
  const traded = 'quantity' in order ? `${order.filledQuantity} of ${order.quantity}` : order.filledQuantity
  return `the order is ${order.status}, with ${traded} traded`
}

export function orderTable(orders: readonly OrderView[]): string {
  if (orders.length === 0) return 'no orders'
  return table(
    ['market', 'side', 'price', 'quantity', 'traded', 'status', 'created', 'order'],
    orders.map((order) => [order.market, order.side, order.price ?? nothing, order.quantity ?? `for ${order.spend}`, order.filledQuantity, order.status, order.created, order.id]),
  )
}

export function withdrawalText({ asset, amount, status, transaction, ledger, id }: WithdrawalView): string {
  const where = transaction === null ? '' : ` in transaction ${transaction}, ledger ${ledger}`
  return `withdrawal of ${amount} ${asset}: ${status}${where}\nwithdrawal ${id}`
}

/** Whole seconds from one time to another, both in milliseconds. A clock that is behind makes nothing younger than new. */
export const age_s = (since: number, now: number): number => Math.max(0, Math.floor((now - since) / 1_000))

/** A span of time, as coarse as it is long. */
export function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`
}

export function keyText({ key, scope, market, until, status }: KeyView): string {
  const may = scope === 'read' ? 'may read' : `may trade ${market === 'all' ? 'everywhere' : `in ${market}`} and read`
  return `${status === 'active' ? `${may} until ${until}` : `${may}: ${status}`}\nkey ${key}`
}

export function keyTable(keys: readonly KeyView[]): string {
  if (keys.length === 0) return 'no keys but the account\'s own'
  return table(['scope', 'market', 'until', 'status', 'key'], keys.map(({ key, scope, market, until, status }) => [scope, market, until, status, key]))
}

export function feedText(message: FeedMessage): string {
  const [time] = message.time.split('.')
  return `${time}Z  #${message.seq}  ${eventText(message)}`
}

function eventText(event: FeedMessage): string {
  switch (event.type) {
    case 'order':
      return orderText(event.order).replace('\n', ', ')
    case 'fill':
      return `${event.side === 'buy' ? 'bought' : 'sold'} ${event.quantity} at ${event.price} for ${event.quote} as ${event.role}${event.fee === '0' ? '' : `, fee ${event.fee} ${event.feeAsset}`} (${event.market}, trade ${event.trade})`
    case 'settled':
      return `settled ${event.trades.length} trade${event.trades.length === 1 ? '' : 's'} in transaction ${event.transaction}, ledger ${event.ledger}`
    case 'deposit':
      return `deposit of ${event.amount} ${event.asset} in transaction ${event.transaction}, ledger ${event.ledger}`
    case 'withdrawal':
      return withdrawalText(event.withdrawal).replace('\n', ', ')
    case 'key':
      return keyText(event).replace('\n', ', ')
  }
}
