import { readVenueView } from '../../client/client.ts'
import { words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { table } from '../table.ts'

/** `darkpool markets`: what can be traded, in which steps. */
export const markets: Command = async ({ args, place }) => {
  words(args, [])
  const venue = await readVenueView(place.url)
  const rows = venue.markets.map((market) => [market.name, market.tickSize, market.lotSize, market.minQuantity, market.maxQuantity, market.maxPrice])
  const text = `${venue.venue} on "${venue.network}", vault ${venue.vault}\n${table(['market', 'price step', 'quantity step', 'smallest', 'largest', 'highest price'], rows)}`
  return { text, json: venue }
}
