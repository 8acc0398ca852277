import { feeOn } from './fees.ts'
import type { EventLog } from './events.ts'
import { conditionOf, isConditional, returnsRemainder, selfTradeOf, sideOf, word } from './orderPool.ts'
import type { OrderPool } from './orderPool.ts'
import type { RestingOrders } from './resting.ts'
import { cancellation, condition, reduction, selfTrade, side } from './terms.ts'
import type { FeeRules, Side } from './terms.ts'

/** Whether an order of that side trades at `ticks` when `limit` is its worst price. */
const accepts = (which: Side, limit: number, ticks: number): boolean => (which === side.buy ? ticks <= limit : ticks >= limit)

/**
 * The walk of one order, the taker, through what rests opposite: docs/matching.md, "One execution". The taker has a slot, wherever it comes from: new, amended, or
 * resting and waiting for its condition.
 */
export class Matching {
  readonly #resting: RestingOrders
  readonly #pool: OrderPool
  readonly #events: EventLog
  fees: FeeRules | null

  constructor(resting: RestingOrders, events: EventLog, fees: FeeRules | null) {
    this.#resting = resting
    this.#pool = resting.pool
    this.#events = events
    this.fees = fees
  }

  /**
   * Trades what it can at `limit` or better. `budget` (ticks × lots) bounds a taker without a price, otherwise it is 0; `incoming` is false for an order that has
   * waited. Says why the taker ends (terms.ts, cancellation), or 0; what is open of it stands in its slot.
   */
  execute(taker: number, limit: number, budget: number, incoming: boolean): number {
    const resting = this.#resting
    const pool = this.#pool
    const { words } = pool
    const t = taker << 4
    const flags = words[t + word.flags]!
    const account = words[t + word.account]!
    const takerSide = sideOf(flags)
    const other = (takerSide ^ 1) as Side
    const least = conditionOf(flags) === condition.perCounterparty ? pool.minimum(taker) : 0
    const had = words[t + word.open]!
    let open = had
    let filled = words[t + word.filled]!
    let left = budget
    let ending = 0
    // Whether what is left of a budget does not pay for the next lot.
    let broke = false
    // While nobody was passed over, the next maker is the best one.
    let passed = false
    let maker = resting.best(other)
    while (maker !== 0 && open > 0) {
      const m = maker << 4
      const ticks = words[m + word.ticks]!
      if (!accepts(takerSide, limit, ticks)) break
      if (budget !== 0 && ticks > left) {
        broke = true
        break
      }
      const makerHad = words[m + word.open]!
      const makerFlags = words[m + word.flags]!
      let lots = open < makerHad ? open : makerHad
      if (budget !== 0) lots = Math.min(lots, Math.floor(left / ticks))
      const own = words[m + word.account] === account
      if ((own && !incoming) || (lots < least && open >= least) || (isConditional(makerFlags) && !this.#makerAllows(maker, makerFlags, makerHad, lots))) {
        passed = true
        maker = resting.following(other, maker)
        continue
      }

      let makerEnding = 0
      let makerOpen = makerHad
      if (own) {
        const mode = selfTradeOf(flags)
        if (mode !== selfTrade.cancelOldest) ending = cancellation.self_trade
        if (mode === selfTrade.cancelNewest) break
        makerEnding = cancellation.self_trade
        if (mode === selfTrade.decrement) {
          makerOpen -= lots
          words[m + word.open] = makerOpen
          this.#events.reduced(pool.id(maker), lots, makerOpen, reduction.self_trade)
          if (makerOpen !== 0) makerEnding = this.#remainderOf(maker, makerFlags, makerOpen)
          if (open !== lots) ending = 0
        }
      } else {
        makerOpen -= lots
        open -= lots
        filled += lots
        if (budget !== 0) left -= lots * ticks
        words[m + word.open] = makerOpen
        words[m + word.filled] = words[m + word.filled]! + lots
        this.#filled(maker, taker, takerSide, ticks, lots, makerOpen, open)
        if (makerOpen !== 0) {
          makerEnding = this.#remainderOf(maker, makerFlags, makerOpen)
          broke = open !== 0
        }
      }

      if (makerEnding !== 0) this.#events.cancelled(pool.id(maker), makerOpen, makerEnding)
      if (own && selfTradeOf(flags) === selfTrade.decrement) {
        open -= lots
        this.#events.reduced(pool.id(taker), lots, open, reduction.self_trade)
      }
      if (makerEnding !== 0 || makerOpen === 0) {
        const next = passed ? resting.following(other, maker) : 0
        resting.remove(maker)
        maker = passed ? next : resting.best(other)
      } else {
        if (isConditional(makerFlags)) resting.touched(maker)
        // Something is left of the maker: the taker has nothing open, or no money for more of it.
        if (!own) break
        passed = true
        maker = resting.following(other, maker)
      }
      if (ending !== 0) break
    }
    words[t + word.open] = open
    words[t + word.filled] = filled
    if (ending !== 0) return ending
    if (open > 0 && filled > 0 && budget !== 0 && (broke || left === 0)) return cancellation.budget_spent
    return open > 0 && open < had ? this.#remainderOf(taker, flags, open) : 0
  }

  /** How much of the taker would be filled, up to `enough`, if it executed now; nothing happens. For takers with a price. */
  fillable(taker: number, enough: number, incoming: boolean): number {
    const resting = this.#resting
    const pool = this.#pool
    const { words } = pool
    const t = taker << 4
    const flags = words[t + word.flags]!
    const limit = words[t + word.ticks]!
    const account = words[t + word.account]!
    const takerSide = sideOf(flags)
    const other = (takerSide ^ 1) as Side
    const least = conditionOf(flags) === condition.perCounterparty ? pool.minimum(taker) : 0
    let open = words[t + word.open]!
    let found = 0
    for (let maker = resting.best(other); maker !== 0 && open > 0 && found < enough; maker = resting.following(other, maker)) {
      const m = maker << 4
      if (!accepts(takerSide, limit, words[m + word.ticks]!)) break
      const makerOpen = words[m + word.open]!
      const lots = open < makerOpen ? open : makerOpen
      const own = words[m + word.account] === account
      if ((own && !incoming) || (lots < least && open >= least)) continue
      const makerFlags = words[m + word.flags]!
      if (isConditional(makerFlags) && !this.#makerAllows(maker, makerFlags, makerOpen, lots)) continue
      if (own) {
        const mode = selfTradeOf(flags)
        if (mode === selfTrade.cancelNewest || mode === selfTrade.cancelBoth) break
        if (mode === selfTrade.decrement) open -= lots
        continue
      }
      found += lots
      open -= lots
    }
    return found
  }

  /** Whether an order that comes in would meet any with which it may trade, its own account's included. */
  meets(which: Side, limit: number, open: number): boolean {
    const resting = this.#resting
    const { words } = this.#pool
    const other = (which ^ 1) as Side
    for (let maker = resting.best(other); maker !== 0; maker = resting.following(other, maker)) {
      const m = maker << 4
      if (!accepts(which, limit, words[m + word.ticks]!)) return false
      const makerOpen = words[m + word.open]!
      const flags = words[m + word.flags]!
      if (!isConditional(flags) || this.#makerAllows(maker, flags, makerOpen, Math.min(open, makerOpen))) return true
    }
    return false
  }

  /** Lots opposite, of other accounts, that a resting order's price accepts, up to `enough`: more than it could ever trade now. */
  within(slot: number, enough: number): number {
    const resting = this.#resting
    const { words } = this.#pool
    const s = slot << 4
    const which = sideOf(words[s + word.flags]!)
    const other = (which ^ 1) as Side
    let found = 0
    for (let maker = resting.best(other); maker !== 0 && found < enough; maker = resting.following(other, maker)) {
      const m = maker << 4
      if (!accepts(which, words[s + word.ticks]!, words[m + word.ticks]!)) break
      if (words[m + word.account] !== words[s + word.account]) found += words[m + word.open]!
    }
    return found
  }

  #makerAllows(maker: number, flags: number, open: number, lots: number): boolean {
    const minimum = this.#pool.minimum(maker)
    switch (conditionOf(flags)) {
      case condition.allOrNone:
        return lots === open
      case condition.aggregate:
        return lots >= Math.min(minimum, open)
      default:
        return open < minimum || lots >= minimum
    }
  }

  /** Why an order that keeps `open` is cancelled after a fill or a decrement, or 0. */
  #remainderOf(slot: number, flags: number, open: number): number {
    return returnsRemainder(flags) && open < this.#pool.minimum(slot) ? cancellation.remainder_returned : 0
  }

  #filled(maker: number, taker: number, takerSide: Side, ticks: number, lots: number, makerOpen: number, takerOpen: number): void {
    const pool = this.#pool
    const { words } = pool
    let makerFee = 0
    let takerFee = 0
    const { fees } = this
    if (fees !== null) {
      const base = feeOn(lots, fees.lotSize, takerSide === side.buy ? fees.taker_ppm : fees.maker_ppm)
      const quote = feeOn(ticks * lots, fees.tickSize, takerSide === side.buy ? fees.maker_ppm : fees.taker_ppm)
      makerFee = takerSide === side.buy ? quote : base
      takerFee = takerSide === side.buy ? base : quote
    }
    const makerAccount = words[(maker << 4) + word.account]!
    const takerAccount = words[(taker << 4) + word.account]!
    this.#events.filled(pool.id(maker), pool.id(taker), makerAccount, takerAccount, takerSide, ticks, lots, makerOpen, takerOpen, makerFee, takerFee)
  }
}
