import assert from 'node:assert/strict'
import type { BookEvent, NewOrder, RefusalName } from '../../src/actors/pair/book/terms.ts'
import type { AccountId, Amount, Lots, MarketState, Milliseconds, OrderId, Seconds, Ticks, TradeId } from '../../src/protocol/identity.ts'
import type { Market } from '../../src/protocol/market.ts'
import type { Answer } from '../../src/protocol/packets.ts'
import type { AmendRefusal, CloseReason, PairCommand, PairMessage, PairOutcome, Trade } from '../../src/protocol/pair.ts'
import { settlementActor, vaultOf } from '../../src/protocol/subjects.ts'
import type { PairChange } from '../../src/protocol/vault.ts'
import { SlowBook } from './book/slowBook.ts'
import type { SlowOrder } from './book/slowBook.ts'
import type { Sent } from './recorder.ts'

type Place = Extract<PairMessage, { kind: 'place' }>
type Filled = Extract<BookEvent, { event: 'filled' }>

/** What is known of an order by name. */
interface Known {
  readonly place: Place
  ticks: number
  lots: number
  filled: number
  quote: bigint
  rested: boolean
  reason: CloseReason | null
}

const states: readonly MarketState[] = ['open', 'cancelOnly', 'halted']
const modes = ['cancelNewest', 'cancelOldest', 'cancelBoth', 'decrement'] as const
const conditions = ['none', 'aggregate', 'perCounterparty', 'allOrNone'] as const
const lifetimes = { GTC: 0, GTD: 0, IOC: 1, FOK: 2 } as const
/** Where a trader reads another word than the book's. */
const closings: Readonly<Record<string, CloseReason>> = { budget_spent: 'filled' }
const bounds: ReadonlySet<RefusalName> = new Set(['price_out_of_range', 'quantity_too_small', 'quantity_too_large', 'minimum_exceeds_quantity', 'value_too_large', 'conditions_conflict'])
const refusals: Partial<Record<RefusalName, AmendRefusal>> = { quantity_too_small: 'quantity_out_of_range', quantity_too_large: 'quantity_out_of_range', value_too_large: 'order_value_exceeded' }
const endings: Partial<Record<CloseReason, PairOutcome['status']>> = { filled: 'filled', expired: 'expired' }
const cancellations: ReadonlySet<CloseReason> = new Set(['cancelled', 'dead_man', 'no_liquidity', 'fok_unfillable', 'minimum_unmet', 'self_trade', 'remainder_returned'])

/**
 * What a pair actor tells, written down a second time around the slow book: orders are a list, their place in it is their number in the book, and accounts likewise. It shares
 * no code with the machine.
 */
export class SlowPair {
  readonly book: SlowBook
  readonly known: Known[] = []
  sent: Sent[] = []
  trades = 0
  time = 0 as Milliseconds
  readonly #market: Market
  readonly #partitions: number
  readonly #accounts: AccountId[] = []
  /** Timers as they were told, the last word of each key. */
  #timers: { readonly account: AccountId; readonly signer: AccountId; readonly deadline: Milliseconds }[] = []
  #refused: RefusalName | null = null

  constructor(market: Market, partitions: number) {
    this.#market = market
    this.#partitions = partitions
    const { lotSize, tickSize, fees } = market.rules
    this.book = new SlowBook({ ...market.rules, fees: { ...fees, lotSize: Number(lotSize), tickSize: Number(tickSize) } })
  }

  /** The order by that number in the book. */
  orderOf(number: number): Known {
    return this.known[number - 1] ?? assert.fail('no such order')
  }

  resting(side: 'buy' | 'sell'): SlowOrder[] {
    return this.book.resting(side === 'buy' ? 0 : 1)
  }

  advance(): void {
    this.#takeBack(this.known.filter(({ place, reason }) => reason === null && this.#over(place)))
  }

  /** When the next timer runs out, or null. */
  get deadline(): Milliseconds | null {
    const running = this.#timers.map(({ deadline }) => deadline).filter((deadline) => deadline > this.time)
    return running.length === 0 ? null : (Math.min(...running) as Milliseconds)
  }

  message(message: PairMessage): Answer | null {
    switch (message.kind) {
      case 'place':
        return this.#place(message)
      case 'cancel': {
        const number = this.#numberOf(message.order, message.account)
        if (number === 0) return { refused: 'order_not_open' }
        this.book.cancel(number, this.#accountOf(message.account))
        return this.#answer(number, null)
      }
      case 'amend': {
        const number = this.#numberOf(message.order, message.account)
        if (number > 0) this.book.amend(number, this.#accountOf(message.account), message.ticks, message.lots)
        const answer: Answer = number > 0 ? this.#answer(number, message.amend) : { refused: 'order_not_open' }
        if ('refused' in answer) this.#report(message, { kind: 'amendRefused', order: message.order, account: message.account, amend: message.amend, reason: answer.refused as AmendRefusal })
        return answer
      }
      case 'cancelAll': {
        const halted = this.book.state === 2
        const cancelled = halted ? 0 : this.#cancelAll(message.account)
        this.#report(message, { kind: 'swept', account: message.account, sweep: message.sweep, cancelled, halted })
        return null
      }
      case 'timer': {
        const { account, signer, deadline } = message
        const over = message.takeBack || (deadline !== null && deadline <= this.time)
        this.#timers = this.#timers.filter((timer) => timer.account !== account || timer.signer !== signer)
        if (deadline !== null) this.#timers.push({ account, signer, deadline })
        if (over) this.#takeBack(this.known.filter(({ place, reason }) => reason === null && covers(message, place)))
        if (message.ask !== null) this.#report(message, { kind: 'timed', account, signer, ask: message.ask })
        return null
      }
    }
  }

  command(command: PairCommand): Answer {
    if (command.kind === 'cancelAll') return { ok: { cancelled: this.#cancelAll(command.account) } }
    // Fewer than a record holds: all of them.
    if (command.kind === 'sweep') return { ok: { cancelled: [...this.#accounts].sort().reduce((sum, account) => sum + this.#cancelAll(account), 0), open: 0 } }
    const { state, lowTicks, highTicks } = command
    this.book.control(states.indexOf(state) as 0 | 1 | 2, lowTicks, highTicks)
    this.#hear(null)
    return { ok: { state, lowTicks, highTicks } }
  }

  #place(place: Place): Answer {
    const { tickSize, maxLots } = this.#market.rules
    const { terms } = place
    const lots = place.spend > 0n ? maxLots : place.lots
    this.known.push({ place, ticks: place.ticks, lots, filled: 0, quote: 0n, rested: false, reason: null })
    const number = this.known.length
    const budget = Number(place.spend / tickSize)
    if (place.expires <= this.#now_s()) this.#close(number, 'expired')
    else if (this.#over(place)) this.#close(number, 'dead_man')
    else if (place.spend > 0n && budget === 0) this.#close(number, 'no_liquidity')
    else {
      const order: NewOrder = {
        id: number, account: this.#accountOf(place.account), side: place.side === 'buy' ? 0 : 1, ticks: place.ticks, lots, budget,
        timeInForce: lifetimes[place.timeInForce], postOnly: terms.postOnly, condition: conditions.indexOf(terms.condition) as NewOrder['condition'], minimum: terms.minimum,
        returnRemainder: terms.returnRemainder, selfTrade: modes.indexOf(terms.selfTrade) as NewOrder['selfTrade'], expires: place.expires,
      }
      this.book.place(order)
      this.#hear(null)
    }
    return this.#answer(number, null)
  }

  /** Whether a timer that covers the order has run out. */
  #over(place: Place): boolean {
    return this.#timers.some((timer) => timer.deadline <= this.time && covers(timer, place))
  }

  #takeBack(orders: readonly Known[]): void {
    this.book.expire(this.#now_s(), orders.map((order) => this.known.indexOf(order) + 1))
    this.#hear(null, 'dead_man')
  }

  #cancelAll(account: AccountId): number {
    const mine = this.#accountOf(account)
    const cancelled = this.book.orders.filter((order) => order.account === mine).length
    this.book.cancelAll(mine)
    this.#hear(null)
    return cancelled
  }

  /** How the market left the order, after telling what it did. */
  #answer(number: number, amend: Extract<PairMessage, { kind: 'amend' }>['amend'] | null): Answer {
    this.#refused = null
    this.#hear(amend)
    const { place, ticks, lots, filled, quote, reason } = this.orderOf(number)
    const status = reason === null ? 'open' : (endings[reason] ?? (cancellations.has(reason) ? 'cancelled' : 'rejected'))
    const outcome: PairOutcome = {
      order: place.order, status, reason, ticks: ticks as Ticks, lots: lots as Lots, filledLots: filled as Lots, filledQuote: quote as Amount, created: place.created, time: this.time,
    }
    if (this.#refused === null) return { ok: outcome }
    return { refused: refusals[this.#refused] ?? (this.#refused), found: outcome }
  }

  #hear(amend: Extract<PairMessage, { kind: 'amend' }>['amend'] | null, requested: CloseReason = 'cancelled'): void {
    for (const event of this.book.take()) {
      switch (event.event) {
        case 'rested': {
          const order = this.orderOf(event.id)
          if (!order.rested) this.#tell(order, { kind: 'rested', ...named(order) })
          order.rested = true
          break
        }
        case 'filled':
          this.#filled(event)
          break
        case 'reduced':
        case 'amended': {
          const order = this.orderOf(event.id)
          if (event.event === 'amended') order.ticks = event.ticks
          order.lots = order.filled + event.open
          if (event.event === 'reduced' && event.reason === 'self_trade') this.#tell(order, { kind: 'reduced', ...named(order), lots: event.by as Lots })
          else this.#tell(order, { kind: 'amended', ...named(order), amend: amend ?? assert.fail('nobody asked'), ticks: order.ticks as Ticks, lots: order.lots as Lots })
          break
        }
        case 'cancelled':
          this.#close(event.id, event.reason === 'requested' ? requested : (closings[event.reason] ?? (event.reason as CloseReason)))
          break
        case 'expired':
          this.#close(event.id, 'expired')
          break
        case 'rejected':
          if (event.command === 0) this.#close(event.id, bounds.has(event.reason) ? 'terms_out_of_range' : (event.reason as CloseReason))
          else this.#refused = event.reason
          break
        case 'accepted':
        case 'controlled':
          break
      }
    }
  }

  #filled({ maker, taker, takerSide, ticks, lots, makerOpen, takerOpen, makerFee, takerFee }: Filled): void {
    const id = `${this.#market.name}:${++this.trades}` as TradeId
    const base = BigInt(lots) * this.#market.rules.lotSize
    const quote = BigInt(ticks) * BigInt(lots) * this.#market.rules.tickSize
    const amounts = { ticks: ticks as Ticks, lots: lots as Lots, base: base as Amount, quote: quote as Amount }
    for (const number of [taker, maker]) {
      const order = this.orderOf(number)
      order.filled += lots
      order.quote += quote
      this.#tell(order, { kind: 'filled', ...named(order), trade: id, role: number === taker ? 'taker' : 'maker', ...amounts, fee: BigInt(number === taker ? takerFee : makerFee) as Amount })
    }
    if (makerOpen === 0) this.#close(maker, 'filled')
    const [buy, sell] = takerSide === 0 ? [this.orderOf(taker), this.orderOf(maker)] : [this.orderOf(maker), this.orderOf(taker)]
    const [buyerFee, sellerFee] = (takerSide === 0 ? [takerFee, makerFee] : [makerFee, takerFee]).map((fee) => BigInt(fee) as Amount) as [Amount, Amount]
    const parties = { buyer: buy.place.account, seller: sell.place.account, buyOrder: buy.place.order, sellOrder: sell.place.order }
    const trade: Trade = { kind: 'trade', id, market: this.#market.name, ...parties, ...amounts, buyerFee, sellerFee, time: this.time, journal: new Uint8Array(32) }
    this.sent.push({ to: settlementActor(0), message: trade })
    if (takerOpen === 0) this.#close(taker, 'filled')
  }

  #close(number: number, reason: CloseReason): void {
    const order = this.orderOf(number)
    order.reason = reason
    this.#tell(order, { kind: 'closed', ...named(order), reason })
  }

  #tell(order: Known, change: PairChange): void {
    this.#report(order.place, change)
  }

  #report({ account }: { readonly account: AccountId }, change: PairChange): void {
    this.sent.push({ to: vaultOf(account, this.#partitions), message: { ...change, time: this.time } })
  }

  /** 0 where that account has no open order of that name. */
  #numberOf(id: OrderId, account: AccountId): number {
    return this.known.findIndex(({ place, reason }) => place.order === id && place.account === account && reason === null) + 1
  }

  #accountOf(account: AccountId): number {
    if (!this.#accounts.includes(account)) this.#accounts.push(account)
    return this.#accounts.indexOf(account)
  }

  #now_s(): Seconds {
    return Math.floor(this.time / 1000) as Seconds
  }
}

const named = ({ place }: Known): { readonly order: OrderId; readonly account: AccountId } => ({ order: place.order, account: place.account })
/** A timer of the account's own key covers all orders of the account, another those of its key. */
const covers = (timer: { readonly account: AccountId; readonly signer: AccountId }, { account, signer }: Place): boolean =>
  account === timer.account && (timer.signer === timer.account || timer.signer === signer)
