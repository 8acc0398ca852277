import { condition, marketState, side, timeInForce } from '../../../src/actors/pair/book/terms.ts'
import type { BookRules, Condition, MarketState, NewOrder, SelfTrade, Side, TimeInForce } from '../../../src/actors/pair/book/terms.ts'

export type BookCommand =
  | { readonly kind: 'place'; readonly order: NewOrder }
  | { readonly kind: 'cancel'; readonly id: number; readonly account: number }
  | { readonly kind: 'cancelAll'; readonly account: number }
  | { readonly kind: 'amend'; readonly id: number; readonly account: number; readonly ticks: number; readonly lots: number }
  | { readonly kind: 'expire'; readonly now: number }
  | { readonly kind: 'control'; readonly state: MarketState; readonly low: number; readonly high: number }

/** What takes commands: the book, and the slow one. */
export interface TakesCommands {
  place(order: NewOrder): void
  cancel(id: number, account: number): void
  cancelAll(account: number): void
  amend(id: number, account: number, ticks: number, lots: number): void
  expire(now: number): void
  control(state: MarketState, low: number, high: number): void
}

export function give(command: BookCommand, to: TakesCommands): void {
  switch (command.kind) {
    case 'place':
      return to.place(command.order)
    case 'cancel':
      return to.cancel(command.id, command.account)
    case 'cancelAll':
      return to.cancelAll(command.account)
    case 'amend':
      return to.amend(command.id, command.account, command.ticks, command.lots)
    case 'expire':
      return to.expire(command.now)
    case 'control':
      return to.control(command.state, command.low, command.high)
  }
}

/** Numbers from a seed: xorshift on 32 bits, good enough to wander, the same everywhere. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x6d2b79f5) | 1
    for (let i = 0; i < 8; i++) this.below(2)
  }

  /** 0 … limit − 1. */
  below(limit: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return (state >>> 0) % limit
  }
  from<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!
  }
  chance(percent: number): boolean {
    return this.below(100) < percent
  }
}

/** How a run wanders: what the market allows, how wide prices and sizes are, and how often conditions come. */
export interface Landscape {
  readonly rules: BookRules
  readonly accounts: number
  /** Prices are `around` ± `spread` ticks. */
  readonly around: number
  readonly spread: number
  readonly sizes: number
  readonly conditional_percent: number
  readonly control_percent: number
}

const fees = { maker_ppm: 1_000, taker_ppm: 2_500, lotSize: 1_000_003, tickSize: 97 }
const rules = (over: Partial<BookRules>): BookRules => ({
  minLots: 2,
  maxLots: 40,
  maxTicks: 1_000,
  maxValue: 4_000_000,
  maxOrders: 60,
  maxOrdersPerAccount: 24,
  maxConditionalOrders: 20,
  fees,
  ...over,
})

/** Small markets in which everything meets everything, tight ones in which every bound is reached, and wide ones. */
export const landscapes: readonly Landscape[] = [
  { rules: rules({}), accounts: 4, around: 100, spread: 3, sizes: 40, conditional_percent: 30, control_percent: 1 },
  { rules: rules({ fees: null }), accounts: 6, around: 500, spread: 5, sizes: 12, conditional_percent: 60, control_percent: 0 },
  { rules: rules({ maxOrders: 9, maxOrdersPerAccount: 5, maxConditionalOrders: 2, maxValue: 3_000 }), accounts: 3, around: 100, spread: 2, sizes: 46, conditional_percent: 40, control_percent: 3 },
  { rules: rules({ minLots: 1 }), accounts: 8, around: 100, spread: 12, sizes: 20, conditional_percent: 0, control_percent: 0 },
  { rules: rules({ maxTicks: 2_147_483_647, maxLots: 4_000_000, maxValue: 90_000_000_000 }), accounts: 8, around: 40_000, spread: 39_999, sizes: 1_000_000, conditional_percent: 15, control_percent: 1 },
]

/** An endless run of commands, the same for the same seed. It keeps no book: it remembers ids and guesses. */
export class RandomCommands {
  readonly landscape: Landscape
  readonly #dice: Dice
  readonly #placed: { id: number; account: number; ticks: number; lots: number }[] = []
  #ids = 0
  #now = 1_000
  #open = true

  constructor(seed: number) {
    this.#dice = new Dice(seed)
    this.landscape = landscapes[seed % landscapes.length]!
  }

  next(): BookCommand {
    const dice = this.#dice
    const { control_percent } = this.landscape
    const which = dice.below(100)
    if (dice.below(100) < (this.#open ? control_percent : 15)) return this.#control()
    if (which < 58) return this.#place()
    if (which < 74) return this.#amend()
    if (which < 94) return this.#cancel()
    if (which < 99) return { kind: 'expire', now: (this.#now += dice.below(3)) }
    return { kind: 'cancelAll', account: dice.below(this.landscape.accounts) }
  }

  #price(): number {
    const { around, spread, rules: bounds } = this.landscape
    const dice = this.#dice
    if (dice.below(400) === 0) return dice.from([0, bounds.maxTicks + 1, bounds.maxTicks])
    return around - spread + dice.below(2 * spread + 1)
  }

  #lots(): number {
    const dice = this.#dice
    return dice.below(300) === 0 ? dice.from([0, 1, this.landscape.rules.maxLots + 1]) : 1 + dice.below(this.landscape.sizes)
  }

  #place(): BookCommand {
    const dice = this.#dice
    const again = this.#placed.length > 0 && dice.below(120) === 0
    const id = again ? dice.from(this.#placed).id : ++this.#ids
    const lots = this.#lots()
    const order: NewOrder = {
      id,
      account: dice.below(this.landscape.accounts),
      side: dice.below(2) as Side,
      ticks: this.#price(),
      lots,
      budget: 0,
      timeInForce: dice.from<TimeInForce>([timeInForce.rest, timeInForce.rest, timeInForce.rest, timeInForce.rest, timeInForce.ioc, timeInForce.fok]),
      postOnly: false,
      condition: condition.none,
      minimum: 0,
      returnRemainder: false,
      selfTrade: dice.below(4) as SelfTrade,
      expires: dice.chance(50) ? this.#now + dice.below(40) : 0,
    }
    if (dice.below(100) < this.landscape.conditional_percent) this.#condition(order)
    else if (dice.chance(8)) order.postOnly = true
    else if (dice.chance(6)) this.#spend(order)
    // Now and then anything with anything.
    if (dice.below(150) === 0) Object.assign(order, dice.from([{ postOnly: true }, { minimum: 1 }, { returnRemainder: true }, { condition: condition.allOrNone }, { budget: 50 }, { timeInForce: timeInForce.fok }]))
    this.#placed.push({ id, account: order.account, ticks: order.ticks, lots })
    if (this.#placed.length > 64) this.#placed.splice(dice.below(64), 1)
    return { kind: 'place', order }
  }

  #condition(order: NewOrder): void {
    const dice = this.#dice
    order.condition = (1 + dice.below(3)) as Condition
    if (order.condition === condition.allOrNone) {
      order.timeInForce = timeInForce.rest
      return
    }
    if (order.timeInForce === timeInForce.fok) order.timeInForce = timeInForce.ioc
    order.minimum = dice.below(200) === 0 ? order.lots + 1 : 1 + dice.below(Math.max(1, order.lots))
    order.returnRemainder = dice.chance(30)
  }

  #spend(order: NewOrder): void {
    const dice = this.#dice
    order.side = side.buy
    order.timeInForce = timeInForce.ioc
    order.ticks = 0
    order.budget = dice.below(100) === 0 ? this.landscape.rules.maxValue + 1 : 1 + dice.below(this.landscape.around * order.lots + 1)
    if (dice.chance(70)) order.lots = this.landscape.rules.maxLots
    order.expires = 0
  }

  #amend(): BookCommand {
    const dice = this.#dice
    if (this.#placed.length === 0) return { kind: 'amend', id: 1, account: 0, ticks: 1, lots: 2 }
    const target = dice.from(this.#placed)
    if (dice.chance(60)) target.ticks = this.#price()
    target.lots = dice.chance(40) ? Math.max(1, target.lots - dice.below(4)) : this.#lots()
    return { kind: 'amend', id: target.id, account: dice.chance(97) ? target.account : dice.below(this.landscape.accounts), ticks: target.ticks, lots: target.lots }
  }

  #cancel(): BookCommand {
    const dice = this.#dice
    if (this.#placed.length === 0) return { kind: 'cancel', id: 1, account: 0 }
    const target = dice.from(this.#placed)
    return { kind: 'cancel', id: target.id, account: dice.chance(97) ? target.account : dice.below(this.landscape.accounts) }
  }

  #control(): BookCommand {
    const dice = this.#dice
    const { around, spread, rules: bounds } = this.landscape
    // A closed market is opened again soon: little happens in one.
    const state = this.#open ? dice.from<MarketState>([marketState.open, marketState.cancelOnly, marketState.halted]) : marketState.open
    this.#open = state === marketState.open
    const narrow = dice.chance(30)
    return { kind: 'control', state, low: narrow ? Math.max(1, around - (spread >>> 1)) : 1, high: narrow ? around + (spread >>> 1) : bounds.maxTicks }
  }
}
