import type { BookEvent, BookRules, CancellationName, Condition, MarketState, NewOrder, RefusalName, SelfTrade, Side } from '../../../src/actors/pair/book/terms.ts'

/** What the numbers of terms.ts mean, written down a second time. */
const BUY = 0
const REST = 0
const IOC = 1
const FOK = 2
const NEWEST = 0
const BOTH = 2
const DECREMENT = 3
const PLAIN = 0
const AGGREGATE = 1
const PER_COUNTERPARTY = 2
const ALL_OR_NONE = 3
const OPEN = 0
const HALTED = 2

export interface SlowOrder {
  id: number
  account: number
  side: Side
  ticks: number
  open: number
  filled: number
  postOnly: boolean
  condition: Condition
  minimum: number
  returnRemainder: boolean
  selfTrade: SelfTrade
  expires: number
  /** When it came to its place. */
  came: number
}

/** What one meeting of a taker with the other side would be, step by step. */
type Step = { readonly maker: SlowOrder; readonly lots: number; readonly own: boolean }

/**
 * docs/matching.md written down a second time, as plainly as possible: one array of orders, sorted anew for every question, every walk planned in full before
 * anything happens. It shares nothing with the book but the names of things.
 */
export class SlowBook {
  readonly events: BookEvent[] = []
  orders: SlowOrder[] = []
  state: MarketState = OPEN
  low = 1
  high: number
  readonly #rules: BookRules
  #clock = 0

  constructor(rules: BookRules) {
    this.#rules = rules
    this.high = rules.maxTicks
  }

  /** Takes the events since the last call. */
  take(): BookEvent[] {
    return this.events.splice(0)
  }

  resting(side: Side): SlowOrder[] {
    return this.orders.filter((order) => order.side === side).sort(byPriority)
  }

  place(order: NewOrder): void {
    const reason = this.#refused(order)
    if (reason !== null) {
      this.events.push({ event: 'rejected', command: 0, id: order.id, account: order.account, reason, open: 0, filled: 0 })
      return
    }
    this.events.push({ event: 'accepted', ...order })
    const { id, account, side, ticks, lots, postOnly, condition, minimum, returnRemainder, selfTrade, expires } = order
    const taker: SlowOrder = { id, account, side, ticks, open: lots, filled: 0, postOnly, condition, minimum, returnRemainder, selfTrade, expires, came: 0 }
    this.#enter(taker, order.timeInForce, order.budget)
    this.#wake()
  }

  cancel(id: number, account: number): void {
    const order = this.#find(id, account)
    if (this.state === HALTED) return this.#reject(1, id, account, 'market_halted', order)
    if (order === undefined) return this.#reject(1, id, account, 'order_not_open', order)
    this.#end(order, 'requested')
    this.#wake()
  }

  cancelAll(account: number): void {
    const mine = this.orders.filter((order) => order.account === account).sort((a, b) => a.came - b.came)
    for (const order of mine) this.#end(order, 'requested')
    this.#wake()
  }

  amend(id: number, account: number, ticks: number, lots: number): void {
    const order = this.#find(id, account)
    const reason = this.#amendRefused(order, ticks, lots)
    if (reason !== null || order === undefined) return this.#reject(2, id, account, reason ?? 'order_not_open', order)
    const open = lots - order.filled
    if (ticks === order.ticks && open <= order.open) {
      this.events.push({ event: 'reduced', id, by: order.open - open, open, reason: 'amend' })
      order.open = open
    } else {
      this.orders = this.orders.filter((other) => other !== order)
      order.ticks = ticks
      order.open = open
      this.events.push({ event: 'amended', id, ticks, open })
      this.#enter(order, REST, 0)
    }
    this.#wake()
  }

  expire(now: number, lapsed: readonly number[] = []): void {
    const taken = this.orders.filter(({ id }) => lapsed.includes(id)).sort((a, b) => a.came - b.came)
    for (const order of taken) this.#end(order, 'requested')
    const due = this.orders.filter((order) => order.expires !== 0 && order.expires <= now).sort((a, b) => a.expires - b.expires || a.came - b.came)
    for (const order of due) this.events.push({ event: 'expired', id: order.id, open: order.open })
    this.orders = this.orders.filter((order) => !due.includes(order))
    this.#wake()
  }

  control(state: MarketState, low: number, high: number): void {
    this.state = state
    this.low = low
    this.high = high
    this.events.push({ event: 'controlled', state, lowTicks: low, highTicks: high })
    this.#wake()
  }

  /** Orders that wait for a condition and could trade now: none, between commands of an open market. */
  possible(): SlowOrder[] {
    return this.orders.filter((order) => order.condition !== PLAIN && this.#planOfWaiting(order) !== null)
  }

  #refused(order: NewOrder): RefusalName | null {
    const rules = this.#rules
    if (this.orders.some((other) => other.id === order.id)) return 'id_in_use'
    if (this.state !== OPEN) return this.state === HALTED ? 'market_halted' : 'market_cancel_only'
    if (conflicts(order)) return 'conditions_conflict'
    if (order.budget === 0) {
      if (order.ticks < 1 || order.ticks > rules.maxTicks) return 'price_out_of_range'
      if (order.ticks < this.low || order.ticks > this.high) return 'price_outside_band'
    }
    if (order.lots < rules.minLots) return 'quantity_too_small'
    if (order.lots > rules.maxLots) return 'quantity_too_large'
    if (order.minimum > order.lots) return 'minimum_exceeds_quantity'
    const value = order.budget > 0 ? BigInt(order.budget) : BigInt(order.ticks) * BigInt(order.lots)
    if (value > BigInt(rules.maxValue)) return 'value_too_large'
    if (order.postOnly && this.#meets(order.side, order.ticks, order.lots)) return 'post_only_would_trade'
    if (order.timeInForce !== REST) return null
    const taker: SlowOrder = { ...order, open: order.lots, filled: 0, came: 0 }
    const { traded } = this.#plan(taker, 0, true)
    if (traded === order.lots) return null
    if (this.orders.filter((other) => other.account === order.account).length >= rules.maxOrdersPerAccount) return 'account_orders_exceeded'
    if (this.orders.length >= rules.maxOrders) return 'market_full'
    const waiting = this.orders.filter((other) => other.condition !== PLAIN).length
    return order.condition !== PLAIN && waiting >= rules.maxConditionalOrders ? 'conditional_orders_exceeded' : null
  }

  #amendRefused(order: SlowOrder | undefined, ticks: number, lots: number): RefusalName | null {
    const rules = this.#rules
    if (this.state !== OPEN) return this.state === HALTED ? 'market_halted' : 'market_cancel_only'
    if (order === undefined) return 'order_not_open'
    if (ticks < 1 || ticks > rules.maxTicks) return 'price_out_of_range'
    if (ticks < this.low || ticks > this.high) return 'price_outside_band'
    if (lots < rules.minLots) return 'quantity_too_small'
    if (lots > rules.maxLots) return 'quantity_too_large'
    if (BigInt(ticks) * BigInt(lots) > BigInt(rules.maxValue)) return 'value_too_large'
    const open = lots - order.filled
    if (open < 1) return 'amend_too_late'
    const moves = ticks !== order.ticks || open > order.open
    return order.postOnly && moves && this.#meets(order.side, ticks, open) ? 'post_only_would_trade' : null
  }

  #enter(taker: SlowOrder, time: number, budget: number): void {
    const had = taker.open
    const plan = this.#plan(taker, budget, true)
    const needed = time === FOK || taker.condition === ALL_OR_NONE ? had : taker.condition === AGGREGATE ? Math.min(taker.minimum, had) : 0
    let ending: CancellationName | null = null
    if (plan.traded < needed) {
      if (time === FOK) ending = 'fok_unfillable'
      else if (time === IOC) ending = 'minimum_unmet'
    } else {
      this.#carryOut(taker, plan.steps)
      if (plan.ownEnds) ending = 'self_trade'
      else if (plan.broke && taker.filled > 0 && taker.open > 0) ending = 'budget_spent'
      else if (taker.open > 0 && taker.open < had && taker.returnRemainder && taker.open < taker.minimum) ending = 'remainder_returned'
    }
    if (ending === null && taker.open === 0) return
    if (ending === null && time !== REST) ending = 'no_liquidity'
    if (ending !== null) {
      this.events.push({ event: 'cancelled', id: taker.id, open: taker.open, reason: ending })
      return
    }
    taker.came = ++this.#clock
    this.orders.push(taker)
    this.events.push({ event: 'rested', id: taker.id, ticks: taker.ticks, open: taker.open })
  }

  #wake(): void {
    while (this.state === OPEN) {
      const first = [0, 1].map((side) => this.resting(side as Side).find((order) => order.condition !== PLAIN && this.#planOfWaiting(order) !== null))
      const ready = first.filter((order) => order !== undefined).sort((a, b) => a.came - b.came)
      const [taker] = ready
      if (taker === undefined) return
      const had = taker.open
      this.#carryOut(taker, this.#planOfWaiting(taker) ?? [])
      if (taker.open === 0) this.orders = this.orders.filter((order) => order !== taker)
      else if (taker.open < had && taker.returnRemainder && taker.open < taker.minimum) this.#end(taker, 'remainder_returned')
    }
  }

  #planOfWaiting(order: SlowOrder): readonly Step[] | null {
    const { steps, traded } = this.#plan(order, 0, false)
    const needed = order.condition === ALL_OR_NONE ? order.open : order.condition === AGGREGATE ? Math.min(order.minimum, order.open) : 1
    return traded >= needed ? steps : null
  }

  /** The walk, without doing anything. `ownEnds`: self-trade prevention ends the taker. `broke`: a budget does not pay for more. */
  #plan(taker: SlowOrder, budget: number, incoming: boolean): { steps: Step[]; traded: number; ownEnds: boolean; broke: boolean } {
    const steps: Step[] = []
    let open = taker.open
    let left = budget
    let traded = 0
    let broke = budget > 0
    for (const maker of this.resting((1 - taker.side) as Side)) {
      if (open === 0) break
      const acceptable = budget > 0 ? maker.ticks <= this.high : taker.side === BUY ? maker.ticks <= taker.ticks : maker.ticks >= taker.ticks
      if (!acceptable) {
        broke = broke && left === 0
        return { steps, traded, ownEnds: false, broke }
      }
      if (budget > 0 && maker.ticks > left) return { steps, traded, ownEnds: false, broke: true }
      const lots = Math.min(open, maker.open, budget > 0 ? Number(BigInt(left) / BigInt(maker.ticks)) : Infinity)
      if (!mayTrade(taker, open, maker, lots)) continue
      if (maker.account !== taker.account) {
        steps.push({ maker, lots, own: false })
        open -= lots
        left -= lots * maker.ticks
        traded += lots
        // What is left of a maker is too dear.
        if (budget > 0 && lots < maker.open && open > 0) return { steps, traded, ownEnds: false, broke: true }
        continue
      }
      if (!incoming) continue
      if (taker.selfTrade === NEWEST) return { steps, traded, ownEnds: true, broke: false }
      steps.push({ maker, lots, own: true })
      if (taker.selfTrade === BOTH) return { steps, traded, ownEnds: true, broke: false }
      if (taker.selfTrade === DECREMENT) {
        open -= lots
        if (open === 0) return { steps, traded, ownEnds: true, broke: false }
      }
    }
    return { steps, traded, ownEnds: false, broke: broke && left === 0 }
  }

  #carryOut(taker: SlowOrder, steps: readonly Step[]): void {
    for (const { maker, lots, own } of steps) {
      if (!own) {
        maker.open -= lots
        maker.filled += lots
        taker.open -= lots
        taker.filled += lots
        const { makerFee, takerFee } = this.#fees(maker, taker, lots)
        this.events.push({
          event: 'filled',
          maker: maker.id,
          taker: taker.id,
          makerAccount: maker.account,
          takerAccount: taker.account,
          takerSide: taker.side,
          ticks: maker.ticks,
          lots,
          makerOpen: maker.open,
          takerOpen: taker.open,
          makerFee,
          takerFee,
        })
        if (maker.open === 0) this.orders = this.orders.filter((order) => order !== maker)
        else if (maker.returnRemainder && maker.open < maker.minimum) this.#end(maker, 'remainder_returned')
      } else if (taker.selfTrade === DECREMENT) {
        maker.open -= lots
        this.events.push({ event: 'reduced', id: maker.id, by: lots, open: maker.open, reason: 'self_trade' })
        if (maker.open === 0) this.#end(maker, 'self_trade')
        else if (maker.returnRemainder && maker.open < maker.minimum) this.#end(maker, 'remainder_returned')
        taker.open -= lots
        this.events.push({ event: 'reduced', id: taker.id, by: lots, open: taker.open, reason: 'self_trade' })
      } else {
        this.#end(maker, 'self_trade')
      }
    }
  }

  #fees(maker: SlowOrder, taker: SlowOrder, lots: number): { makerFee: number; takerFee: number } {
    const { fees } = this.#rules
    if (fees === null) return { makerFee: 0, takerFee: 0 }
    const received = (order: SlowOrder): bigint =>
      order.side === BUY ? BigInt(lots) * BigInt(fees.lotSize) : BigInt(lots) * BigInt(maker.ticks) * BigInt(fees.tickSize)
    const fee = (amount: bigint, ppm: number): number => Number((amount * BigInt(ppm) + 999_999n) / 1_000_000n)
    return { makerFee: fee(received(maker), fees.maker_ppm), takerFee: fee(received(taker), fees.taker_ppm) }
  }

  #meets(side: Side, ticks: number, open: number): boolean {
    const taker = { side, ticks, open, condition: PLAIN, minimum: 0 } as const
    return this.resting((1 - side) as Side).some(
      (maker) => (side === BUY ? maker.ticks <= ticks : maker.ticks >= ticks) && mayTrade(taker, open, maker, Math.min(open, maker.open)),
    )
  }

  #find(id: number, account: number): SlowOrder | undefined {
    return this.orders.find((order) => order.id === id && order.account === account)
  }

  #end(order: SlowOrder, reason: CancellationName): void {
    this.orders = this.orders.filter((other) => other !== order)
    this.events.push({ event: 'cancelled', id: order.id, open: order.open, reason })
  }

  #reject(command: 1 | 2, id: number, account: number, reason: RefusalName, order: SlowOrder | undefined): void {
    this.events.push({ event: 'rejected', command, id, account, reason, open: order?.open ?? 0, filled: order?.filled ?? 0 })
  }
}

function byPriority(a: SlowOrder, b: SlowOrder): number {
  return (a.side === BUY ? b.ticks - a.ticks : a.ticks - b.ticks) || a.came - b.came
}

/** Whether the conditions of both allow a fill of `lots`, when `open` is what the taker has open. */
function mayTrade(taker: Pick<SlowOrder, 'condition' | 'minimum'>, open: number, maker: SlowOrder, lots: number): boolean {
  if (taker.condition === PER_COUNTERPARTY && open >= taker.minimum && lots < taker.minimum) return false
  if (maker.condition === ALL_OR_NONE) return lots === maker.open
  if (maker.condition === AGGREGATE) return lots >= Math.min(maker.minimum, maker.open)
  if (maker.condition === PER_COUNTERPARTY) return maker.open < maker.minimum || lots >= maker.minimum
  return true
}

function conflicts(order: NewOrder): boolean {
  const withMinimum = order.condition === AGGREGATE || order.condition === PER_COUNTERPARTY
  const immediate = order.timeInForce !== REST
  return (
    (immediate && (order.postOnly || order.condition === ALL_OR_NONE)) ||
    (order.timeInForce === FOK && withMinimum) ||
    (order.postOnly && order.condition !== PLAIN) ||
    withMinimum !== order.minimum > 0 ||
    (order.returnRemainder && !withMinimum) ||
    (order.budget > 0 && (order.side !== BUY || order.timeInForce !== IOC || order.ticks !== 0 || order.condition !== PLAIN))
  )
}
