import type { Lots, MarketName, Ticks } from './identity.ts'

/** What a market's public tape shows, and when. */
export interface TapeRules {
  /** Length of an interval, whose trades are printed together, and how long after its end that is. So a trade is public between one and two delays after it happened. */
  readonly delay_s: number
  /** Each trade counts as so many lots less what is over a multiple of this: a smaller one is as if it had not happened. */
  readonly roundLots: Lots
  /** Prices are rounded to the nearest multiple of this. */
  readonly roundTicks: Ticks
}

/**
 * One message of a market's public tape, as JSON text on `dp.v1.<venue>.tape.<market>`: what was traded at one price, all trades of an interval together. Says of nobody who traded, nor in how
 * many trades, nor when within the interval. `seq` counts the market's prints from 1 without a gap; those of an interval come by price, the lowest first.
 */
export interface TapePrint {
  readonly v: 1
  readonly seq: number
  readonly market: MarketName
  readonly type: 'print'
  /** The interval: `from` is in it, `until` is not. ISO 8601. */
  readonly from: string
  readonly until: string
  readonly price: string
  readonly quantity: string
}
