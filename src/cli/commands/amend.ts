import { decimal, words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { expiry } from './order.ts'

/** `darkpool amend ORDER`: another price and total quantity. */
export const amend: Command = async ({ args, place }) => {
  const [order] = words(args, ['ORDER'])
  if (!/^[0-9a-f]{64}$/.test(order)) throw new UsageFault(`${order} is no order id (64 hex digits)`)
  const { price, quantity, expires } = args.options
  const client = await place.client()
  const view = await client.sendAmend(await client.signAmend(order, decimal('price', price), decimal('quantity', quantity), expiry(expires)))
  const [base, quote] = view.market.split('-')
  return { text: `${view.status}: ${view.quantity} ${base} at ${view.price} ${quote}, of which ${view.filledQuantity} have traded\norder ${view.id}`, json: view }
}
