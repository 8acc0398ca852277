import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { readVenue } from '../../src/protocol/venue.ts'
import { Dice } from '../pair/book/randomCommands.ts'
import { units } from '../venue/books.ts'
import { persist, VenueUnderTest } from '../venue/venueUnderTest.ts'
import type { LocalVenueOptions } from '../../scripts/venue/localVenue.ts'
import { Killer } from './killer.ts'
import { TorturedTrader } from './traders.ts'

/** Part of every run in short; `npm run torture -- --minutes N --seed N` sets these. */
export const minutes = Number(process.env.TORTURE_MINUTES ?? '0.5')
export const seed = Number(process.env.TORTURE_SEED ?? '1')
export const setting = `for ${minutes} minutes of trading (seed ${seed})`
export const limit_ms = minutes * 60_000 + 600_000

const ROLES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'] as const
const LEAST_KILLS = 4
const CLOSED = new Set(['filled', 'cancelled', 'expired', 'rejected'])

/** Kills everything at random while traders trade, then holds every acknowledged order, every fill and every balance against what the traders were told. */
export async function torture(t: Test, options: Partial<LocalVenueOptions> = {}): Promise<void> {
  const under = await VenueUnderTest.start(ROLES.length, options)
  const { venue } = under
  const books = await under.books(...ROLES)
  t.teardown(async () => {
    await books.close()
    await under.stop()
  })
  const { actors, markets: all } = readVenue(venue.venueFile())
  const markets = [...all.keys()]
  const traders = ROLES.map((role, n) => new TorturedTrader(role, books.client(role), markets, new Dice(seed * 100 + n)))
  const killer = new Killer(venue, actors, new Dice(seed))
  const end = Date.now() + minutes * 60_000
  const kills = (): number => [...killer.killed.values()].reduce((sum, times) => sum + times, 0)
  // On a busy machine it takes longer until everything serves again after each kill.
  const over = (): boolean => Date.now() > end && kills() >= LEAST_KILLS
  await Promise.all([killer.kill(over), ...traders.map((trader) => trader.trade(over))])
  await venue.ready()

  const orders = traders.reduce((sum, { told }) => sum + told.size, 0)
  t.comment(`${orders} orders, ${traders.reduce((sum, { answered }) => sum + answered, 0)} answers; killed: ${[...killer.killed].map(([what, times]) => `${what} ${times}×`).join(', ')}`)
  t.ok(orders > 20, 'there was trading')
  t.ok(kills() >= LEAST_KILLS, 'there was killing')

  for (const role of ROLES) await persist(() => books.client(role).cancelAllOrders())

  // Fills as the two traders of each were told of them, once everything that traded is settled.
  const heard = () => ROLES.flatMap((who) => books.feed(who).messages.flatMap((message) => (message.type === 'fill' ? [{ who, ...message }] : [])))
  const settled = (): number => ROLES.reduce((sum, who) => sum + books.feed(who).messages.reduce((mine, message) => mine + (message.type === 'settled' ? message.trades.length : 0), 0), 0)
  for (const waited = Date.now() + 60_000; Date.now() < waited && settled() < heard().length; ) await delay(100)
  for (const role of ROLES) books.feed(role).requireSound()
  const fills = heard()
  t.ok(fills.length > 0, `${fills.length / 2} trades`)
  const trades = new Map<string, typeof fills>()
  for (const fill of fills) trades.set(fill.trade, [...(trades.get(fill.trade) ?? []), fill])
  for (const [trade, sides] of trades) {
    const buyer = sides.find(({ side }) => side === 'buy')
    const seller = sides.find(({ side }) => side === 'sell')
    if (buyer === undefined || seller === undefined || sides.length !== 2) {
      t.fail(`${trade} was told to ${sides.length} sides`)
      continue
    }
    if (buyer.price !== seller.price || buyer.quantity !== seller.quantity || buyer.quote !== seller.quote) t.fail(`${trade} was told differently to both`)
    books.traded(buyer.who, seller.who, buyer.market, buyer.quantity, buyer.price)
  }

  for (const { role, told } of traders) {
    const client = books.client(role)
    for (const [id, { view }] of told) {
      const now = await persist(() => client.order(id))
      const filled = fills.filter((fill) => fill.order === id).reduce((sum, { quantity }) => sum + units(quantity), 0n)
      if (units(now.filledQuantity) !== filled) t.fail(`${role}'s order ${id} filled ${now.filledQuantity}, its fills make another sum`)
      if (!CLOSED.has(now.status)) t.fail(`${role}'s order ${id} is ${now.status} after everything was taken back`)
      if (CLOSED.has(view.status) && (view.status !== now.status || view.filledQuantity !== now.filledQuantity)) t.fail(`${role}'s order ${id} was told ${view.status} and is ${now.status}`)
      if (units(now.filledQuantity) < units(view.filledQuantity)) t.fail(`${role}'s order ${id} has lost fills`)
    }
  }
  await books.check(t)
}
