import { words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { expiry } from './order.ts'

/** `darkpool cancel ORDER`: takes back what of an order has not traded. */
export const cancel: Command = async ({ args, place }) => {
  const [order] = words(args, ['ORDER'])
  if (!/^[0-9a-f]{64}$/.test(order)) throw new UsageFault(`${order} is no order id (64 hex digits)`)
  const client = await place.client()
  const view = await client.sendCancel(await client.signCancel(order, expiry(args.options.expires)))
  const [base, quote] = view.market.split('-')
  return { text: `${view.status}: ${view.filledQuantity} ${base} had traded for ${view.filledQuote} ${quote}\norder ${view.id}`, json: view }
}
