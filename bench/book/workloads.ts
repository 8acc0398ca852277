import { Book } from '../../src/actors/pair/book/book.ts'
import type { EventReader } from '../../src/actors/pair/book/events.ts'
import type { BookRules } from '../../src/actors/pair/book/terms.ts'
import { Dice } from '../dice.ts'
import { blankOrder, Commands, kind } from './commands.ts'
import { apply } from './ours.ts'

export const rules: BookRules = {
  minLots: 1, maxLots: 2 ** 31 - 1, maxTicks: 2 ** 31 - 1, maxValue: Number.MAX_SAFE_INTEGER,
  maxOrders: 2_000_000, maxOrdersPerAccount: 2 ** 31 - 1, maxConditionalOrders: 1_000, fees: null,
}

export interface Workload {
  /** The first of these fill the book and are not timed. */
  readonly fill: number
  readonly commands: Commands
  /** What the workload turned out to be. */
  readonly facts: { readonly resting: number; readonly levels: number; readonly tradesPerCommand: number; readonly tradingShare: number }
}

interface Live {
  readonly id: number
  readonly account: number
  readonly side: number
  ticks: number
  open: number
  filled: number
  /** Its place among the live ones. */
  at: number
}

/**
 * Makes commands against a book that it keeps, since what can be moved, reduced or cancelled depends on what has traded. Buyers have even accounts and sellers odd
 * ones, so that nobody meets himself: not every book that is compared knows self-trade prevention.
 */
class Making {
  readonly dice = new Dice()
  readonly commands: Commands
  readonly book = new Book(rules)
  readonly live: Live[] = []
  trades = 0
  trading = 0
  readonly #byId = new Map<number, Live>()
  readonly #order = blankOrder()
  readonly #reader: EventReader
  #ids = 0

  constructor(most: number) {
    this.commands = new Commands(most)
    const gone = (id: number): void => this.#gone(id)
    this.#reader = {
      accepted: () => undefined,
      rested: () => undefined,
      amended: () => undefined,
      reduced: () => undefined,
      expired: gone,
      cancelled: gone,
      rejected: () => {
        throw new Error('a workload has no command that is refused')
      },
      controlled: () => undefined,
      filled: (maker, taker, _a, _b, _c, _d, lots, makerOpen, takerOpen) => {
        this.trades++
        this.#fill(maker, lots, makerOpen)
        this.#fill(taker, lots, takerOpen)
      },
    }
  }

  size(): number {
    const { dice } = this
    return 1 + dice.below(6) * dice.below(6) * dice.below(6)
  }

  place(which: number, ticks: number, lots: number, immediate = false): void {
    const id = ++this.#ids
    const account = 2 * this.dice.below(500) + which
    if (!immediate) {
      const order: Live = { id, account, side: which, ticks, open: lots, filled: 0, at: this.live.length }
      this.live.push(order)
      this.#byId.set(id, order)
    }
    this.#do(immediate ? kind.ioc : kind.rest, id, account, which, ticks, lots)
  }

  move(order: Live, ticks: number): void {
    order.ticks = ticks
    this.#do(kind.move, order.id, order.account, order.side, ticks, order.filled + order.open)
  }

  /** By at least one lot, leaving at least one: only of orders that have two. */
  reduce(order: Live): void {
    const by = 1 + this.dice.below(order.open - 1)
    order.open -= by
    this.#do(kind.reduce, order.id, order.account, order.side, order.ticks, order.filled + order.open, by)
  }

  cancel(order: Live): void {
    this.#do(kind.cancel, order.id, order.account, order.side, order.ticks, 0)
  }

  /** One of the first `within` live orders. */
  any(within = this.live.length): Live {
    return this.live[this.dice.below(Math.min(within, this.live.length))]!
  }

  done(fill: number): Workload {
    let levels = 0
    for (const which of [0, 1] as const) {
      let before = 0
      for (const { ticks } of this.book.resting(which)) {
        if (ticks !== before) levels++
        before = ticks
      }
    }
    const timed = this.commands.size - fill
    return { fill, commands: this.commands, facts: { resting: this.book.size, levels, tradesPerCommand: this.trades / timed, tradingShare: this.trading / timed } }
  }

  #do(what: number, id: number, account: number, which: number, ticks: number, lots: number, by = 0): void {
    this.commands.add(what, id, account, which, ticks, lots, by)
    apply(this.book, this.commands, this.commands.size - 1, this.#order)
    const { trades } = this
    this.book.events.read(this.#reader)
    this.book.events.clear()
    if (this.trades > trades) this.trading++
  }

  #fill(id: number, lots: number, open: number): void {
    const order = this.#byId.get(id)
    if (order === undefined) return
    order.open -= lots
    order.filled += lots
    if (open === 0) this.#gone(id)
  }

  #gone(id: number): void {
    const order = this.#byId.get(id)
    if (order === undefined) return
    this.#byId.delete(id)
    const last = this.live.pop()!
    if (last === order) return
    this.live[order.at] = last
    last.at = order.at
  }
}

const MIDDLE = 100_000_000

/** The mix of exchange-core's generator: 71 % move, 13 % GTC, 7 % reduce, 7 % cancel, 2 % IOC. `depth` prices on either side. */
function mix(commands: number, resting: number, depth: number): Workload {
  const making = new Making(resting * 2 + commands)
  const { dice } = making
  const price = (which: number): number => (which === 0 ? MIDDLE - dice.below(depth) : MIDDLE + 1 + dice.below(depth))
  while (making.book.size < resting) {
    const which = dice.below(2)
    making.place(which, price(which), making.size())
  }
  const fill = making.commands.size
  for (let left = commands; left > 0; left--) {
    const which = dice.below(1_000)
    const target = making.any(512)
    if (which < 710) making.move(target, price(target.side))
    else if (which < 840) {
      const on = dice.below(2)
      making.place(on, price(on), making.size())
    } else if (which < 910) {
      if (target.open > 1) making.reduce(target)
      else making.move(target, price(target.side))
    } else if (which < 980) making.cancel(target)
    else {
      // What comes in is 13 %, what is cancelled 7 %: every IOC takes about three others with it, more where the book has grown.
      const on = dice.below(2)
      let lots = 0
      for (let makers = making.book.size > resting ? 5 : 1; makers > 0; makers--) lots += making.size()
      making.place(on, on === 0 ? MIDDLE + depth : MIDDLE - depth, lots, true)
    }
  }
  return making.done(fill)
}

/** Every second order crosses and meets about two others. */
function heavy(commands: number): Workload {
  const making = new Making(2_000 + commands)
  const { dice } = making
  for (let n = 0; n < 1_000; n++) making.place(n & 1, (n & 1) === 0 ? MIDDLE - dice.below(100) : MIDDLE + 1 + dice.below(100), making.size())
  const fill = making.commands.size
  for (let n = 0; n < commands; n++) {
    const on = dice.below(2)
    if ((n & 1) === 0) making.place(on, on === 0 ? MIDDLE - dice.below(100) : MIDDLE + 1 + dice.below(100), making.size())
    else making.place(on, on === 0 ? MIDDLE + 100 : MIDDLE - 100, making.size() , making.book.size > 200)
  }
  return making.done(fill)
}

/** Buys at 1880–1889 and sells at 1884–1893 in turn, nothing else. */
function inserts(commands: number): Workload {
  const making = new Making(commands)
  for (let n = 0; n < commands; n++) making.place(n & 1, ((n & 1) === 0 ? 1880 : 1884) + making.dice.below(10), making.size())
  return making.done(0)
}

/** 55 % limit orders, 35 % cancels, 10 % IOC. */
function limits(commands: number): Workload {
  const making = new Making(2_000 + commands)
  const { dice } = making
  const price = (which: number): number => (which === 0 ? MIDDLE - dice.below(500) : MIDDLE + 1 + dice.below(500))
  for (let n = 0; n < 2_000; n++) making.place(n & 1, price(n & 1), making.size())
  const fill = making.commands.size
  for (let n = 0; n < commands; n++) {
    const which = dice.below(100)
    const on = dice.below(2)
    if (which < 55 || making.live.length === 0) making.place(on, price(on), making.size())
    else if (which < 90) making.cancel(making.any())
    else making.place(on, on === 0 ? MIDDLE + 500 : MIDDLE - 500, making.size() * (making.book.size > 2_000 ? 4 : 1), true)
  }
  return making.done(fill)
}

/** Twenty levels of a thousand orders: one anywhere is cancelled, another comes. */
function deep(commands: number): Workload {
  const making = new Making(20_000 + commands)
  const { dice } = making
  const price = (which: number): number => (which === 0 ? MIDDLE - dice.below(10) : MIDDLE + 1 + dice.below(10))
  for (let n = 0; n < 20_000; n++) making.place(n & 1, price(n & 1), making.size())
  const fill = making.commands.size
  for (let n = 0; n < commands; n++) {
    if ((n & 1) === 0) making.cancel(making.any())
    else {
      const on = dice.below(2)
      making.place(on, price(on), making.size())
    }
  }
  return making.done(fill)
}

/** A million orders, each at a price of its own, of which one anywhere moves, goes, or comes. */
function million(commands: number): Workload {
  const making = new Making(1_000_000 + commands)
  const { dice } = making
  for (let n = 0; n < 1_000_000; n++) making.place(n & 1, (n & 1) === 0 ? MIDDLE - (n >> 1) : MIDDLE + 1 + (n >> 1), making.size())
  const fill = making.commands.size
  const price = (which: number): number => (which === 0 ? MIDDLE - dice.below(500_000) : MIDDLE + 1 + dice.below(500_000))
  for (let n = 0; n < commands; n++) {
    const which = dice.below(4)
    const on = dice.below(2)
    if (which < 2) {
      const target = making.any()
      making.move(target, price(target.side))
    } else if (which === 2) making.cancel(making.any())
    else making.place(on, price(on), making.size())
  }
  return making.done(fill)
}

/** A thousand orders around a price that walks by a million ticks. */
function walk(commands: number): Workload {
  const making = new Making(1_000 + commands)
  const { dice } = making
  const WALK = 1_000_000
  let middle = MIDDLE
  const price = (which: number): number => (which === 0 ? middle - 1 - dice.below(200) : middle + 1 + dice.below(200))
  for (let n = 0; n < 1_000; n++) making.place(n & 1, price(n & 1), making.size())
  const fill = making.commands.size
  for (let n = 0; n < commands; n++) {
    middle = MIDDLE + Math.floor((n * WALK) / commands)
    if (dice.below(2) === 0) making.place(n & 1, price(n & 1), making.size())
    else if (making.live.length > 500) making.cancel(making.any())
    else making.place(n & 1, price(n & 1), making.size())
  }
  return making.done(fill)
}

export const workloads = {
  mix: () => mix(3_000_000, 980, 300),
  'mix, 1,000,000 resting': () => mix(2_000_000, 1_000_000, 300_000),
  'heavy trading': () => heavy(3_000_000),
  'insert only': () => inserts(1_000_000),
  '55 limit / 35 cancel / 10 IOC': () => limits(3_000_000),
  '20 levels of 1,000': () => deep(3_000_000),
  'million prices': () => million(2_000_000),
  'walk of a million ticks': () => walk(3_000_000),
} as const satisfies Record<string, () => Workload>
export type WorkloadName = keyof typeof workloads
