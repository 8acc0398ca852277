import { clientOrderId, words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { expiry } from './order.ts'

/** `darkpool cancel ORDER`, or `cancel --client-id ID`: takes back what of an order has not traded. */
export const cancel: Command = async ({ args, place }) => {
  const clientId = args.options['client-id']
  const [order] = clientId === undefined ? words(args, ['ORDER']) : words(args, [])
  if (order !== undefined && !/^[0-9a-f]{64}$/.test(order)) throw new UsageFault(`${order} is no order id (64 hex digits)`)
  const validity = expiry(args.options.expires)
  const client = await place.client()
  const request = clientId === undefined ? await client.signCancel(order!, validity) : await client.signCancelByClientId(clientOrderId(clientId), validity)
  const view = await client.sendCancel(request)
  const [base, quote] = view.market.split('-')
  return { text: `${view.status}: ${view.filledQuantity} ${base} had traded for ${view.filledQuote} ${quote}\norder ${view.id}`, json: view }
}
