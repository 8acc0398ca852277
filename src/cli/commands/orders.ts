import { whole, words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { orderTable } from '../text.ts'

/** `darkpool orders [MARKET]`: open orders, or with --all also those that closed last. */
export const orders: Command = async ({ args, place }) => {
  const { all, limit } = args.options
  const market = args.words.length === 0 ? undefined : words(args, ['[MARKET]'])[0]
  const client = await place.client()
  const listed = await client.orders({
    status: all === true ? 'all' : 'open',
    ...(market === undefined ? {} : { market }),
    ...(limit === undefined ? {} : { limit: whole('limit', limit) }),
  })
  return { text: orderTable(listed), json: listed }
}

/** `darkpool book MARKET`: one's own resting orders as the book holds them. */
export const book: Command = async ({ args, place }) => {
  const [market] = words(args, ['MARKET'])
  const client = await place.client()
  const own = await client.orderbook(market)
  return { text: orderTable([...[...own.asks].reverse(), ...own.bids]), json: own }
}
