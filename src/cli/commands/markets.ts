import { Refused } from '../../client/errors.ts'
import { VenueReader } from '../../client/venueReader.ts'
import { formatDecimal } from '../../protocol/decimal.ts'
import { words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { table } from '../table.ts'

/** `darkpool markets`: what can be traded, in which steps, and whether it can be now. */
export const markets: Command = async ({ args, place }) => {
  words(args, [])
  const reader = new VenueReader(place.url)
  const venue = await reader.markets()
  const states = await Promise.all(venue.markets.map(({ name }) => stateOf(reader, name)))
  const rows = venue.markets.map((market, at) => [market.name, states[at] ?? '', market.tickSize, market.lotSize, market.minQuantity, market.maxQuantity, market.maxPrice, percent(market.fees.maker_ppm), percent(market.fees.taker_ppm)])
  const text = `${venue.venue} on "${venue.network}", vault ${venue.vault}\n${table(['market', 'state', 'price step', 'quantity step', 'smallest', 'largest', 'highest price', 'maker fee', 'taker fee'], rows)}`
  return { text, json: { ...venue, markets: venue.markets.map((market, at) => ({ ...market, state: states[at] })) } }
}

/** Parts per million as people read them: 500 as 0.05 %. */
const percent = (ppm: number): string => `${formatDecimal(BigInt(ppm), 4)} %`

/** A market that does not answer is no reason not to list the others. */
async function stateOf(reader: VenueReader, name: string): Promise<string> {
  try {
    return (await reader.marketState(name, { retry: false })).state
  } catch (error) {
    if (error instanceof Refused && error.code === 'market_unavailable') return 'unavailable'
    throw error
  }
}
