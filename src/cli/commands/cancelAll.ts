import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { expiry } from './order.ts'

/** `darkpool cancel-all [MARKET]`: takes every open order back. */
export const cancelAll: Command = async ({ args, place }) => {
  const [market, ...more] = args.words
  if (more.length > 0) throw new UsageFault('darkpool cancel-all takes one market, or none for all')
  const client = await place.client()
  if (market !== undefined) client.market(market)
  const view = await client.sendCancelAll(await client.signCancelAll(market, expiry(args.options.expires)))
  const waiting = view.waiting.length === 0 ? '' : `; still to come: ${view.waiting.join(', ')}`
  const halted = view.halted.length === 0 ? '' : `; halted, nothing came back: ${view.halted.join(', ')}`
  return { text: `${view.cancelled} ${view.cancelled === 1 ? 'order' : 'orders'} taken back${waiting}${halted}`, json: view }
}
