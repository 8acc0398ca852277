import type { Lots, MarketName, Milliseconds, Ticks } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Market } from '../../protocol/market.ts'
import type { TapePrint, TapeRules } from '../../protocol/tape.ts'
import { isoTime } from '../../protocol/view.ts'

/** The trades of one interval, as far as they will be shown: lots by price. Intervals are numbered from the beginning of Unix time. */
interface Interval {
  readonly number: number
  readonly lots: Map<number, bigint>
}

/** All of it: what belongs into a snapshot. */
export interface TapeState {
  readonly rules: TapeRules | null
  readonly printed: number
  /** Each with prices, the lowest first, and the lots of each. */
  readonly intervals: readonly { readonly number: number; readonly ticks: readonly number[]; readonly lots: readonly bigint[] }[]
}

/**
 * The public tape of one market. What is not shown leaves no trace in what is: each trade is rounded by itself, before it is added to others, so that nobody can find out by trades of
 * his own whether there was one that is too small, or how much of one was cut off. Not even a number is given before it is time.
 */
export class Tape {
  readonly #market: MarketName
  readonly #format: Pick<Market, 'formatPrice' | 'formatQuantity'>
  #rules: TapeRules | null = null
  #printed = 0
  /** The oldest first: those whose time has not come. No more than two, if `advance` is called before each trade. */
  #intervals: Interval[] = []

  constructor(market: Market) {
    this.#market = market.name
    this.#format = market
  }

  get rules(): TapeRules | null {
    return this.#rules
  }

  get state(): TapeState {
    const intervals = this.#intervals.map(({ number, lots }) => {
      const ticks = pricesOf(lots)
      return { number, ticks, lots: ticks.map((price) => lots.get(price)!) }
    })
    return { rules: this.#rules, printed: this.#printed, intervals }
  }

  restore({ rules, printed, intervals }: TapeState): void {
    this.#rules = rules
    this.#printed = printed
    this.#intervals = intervals.map(({ number, ticks, lots }) => ({ number, lots: new Map(ticks.map((price, place) => [price, lots[place]!])) }))
  }

  /** What was traded under other rules and is not printed yet never will be: nobody knows what it was to be shown by. */
  follow(rules: TapeRules | null): void {
    if (sameRules(rules, this.#rules)) return
    this.#rules = rules
    this.#intervals = []
  }

  /** When the next prints are due, or null. */
  get deadline(): Milliseconds | null {
    const [first] = this.#intervals
    return first === undefined || this.#rules === null ? null : (startOf(first.number + 2, this.#rules) as Milliseconds)
  }

  traded(ticks: Ticks, lots: Lots, time: Milliseconds): void {
    const rules = this.#rules
    if (rules === null) return
    const shown = lots - (lots % rules.roundLots)
    if (shown === 0) return
    const number = Math.floor(time / (rules.delay_s * 1000))
    let interval = this.#intervals.at(-1)
    if (interval?.number !== number) this.#intervals.push((interval = { number, lots: new Map() }))
    const price = rounded(ticks, rules.roundTicks)
    const before = interval.lots.get(price)
    if (before === undefined && interval.lots.size >= limits.tapePrices) return
    interval.lots.set(price, (before ?? 0n) + BigInt(shown))
  }

  /** Prints what is due. */
  advance(time: Milliseconds, print: (print: TapePrint) => void): void {
    for (let due = this.deadline; due !== null && due <= time; due = this.deadline) {
      const { number, lots } = this.#intervals.shift()!
      const [from, until] = [number, number + 1].map((one) => isoTime(startOf(one, this.#rules!))) as [string, string]
      for (const ticks of pricesOf(lots)) {
        const [price, quantity] = [this.#format.formatPrice(ticks as Ticks), this.#format.formatQuantity(lots.get(ticks)!)]
        print({ v: 1, seq: ++this.#printed, market: this.#market, type: 'print', from, until, price, quantity })
      }
    }
  }
}

const startOf = (interval: number, { delay_s }: TapeRules): number => interval * delay_s * 1000
const pricesOf = (lots: ReadonlyMap<number, bigint>): number[] => [...lots.keys()].sort((a, b) => a - b)
/** To the nearest multiple, upwards from halfway; never to nothing. */
const rounded = (ticks: number, step: number): number => Math.max(Math.floor((ticks + step / 2) / step), 1) * step

export function sameRules(one: TapeRules | null, other: TapeRules | null): boolean {
  if (one === null || other === null) return one === other
  return one.delay_s === other.delay_s && one.roundLots === other.roundLots && one.roundTicks === other.roundTicks
}
