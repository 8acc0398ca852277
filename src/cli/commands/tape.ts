import { VenueReader } from '../../client/venueReader.ts'
import type { PrintView } from '../../client/views/venue.ts'
import { whole, words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { table } from '../table.ts'

const SHOWN = 20

/** `darkpool tape MARKET [--limit N]`: a market's public tape, newest first. */
export const tape: Command = async ({ args, place }) => {
  const [market] = words(args, ['MARKET'])
  const wanted = args.options.limit === undefined ? SHOWN : whole('limit', args.options.limit)
  const prints: PrintView[] = []
  if (wanted > 0) {
    for await (const print of new VenueReader(place.url).tape(market, { page: Math.min(wanted, 1_000) })) if (prints.push(print) === wanted) break
  }
  const rows = prints.map(({ seq, from, until, price, quantity }) => [String(seq), from, until, price, quantity])
  return { text: prints.length === 0 ? 'no prints' : table(['print', 'from', 'until', 'price', 'quantity'], rows), json: { prints } }
}
