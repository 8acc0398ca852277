import assert from 'node:assert/strict'
import type { AccountId, ActorName, Amount, Lots, MarketState, Milliseconds, Seconds, Side, Ticks } from '../../protocol/identity.ts'
import { noFees } from '../../protocol/market.ts'
import type { FeeRates, Market } from '../../protocol/market.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import { closedStatus, ORDERS_SWEPT } from '../../protocol/pair.ts'
import type { MarketStatus, PairCommand, PairMessage, PairOutcome, PairQuery, PairSetting, Swept } from '../../protocol/pair.ts'
import { settlementActor, vaultOf } from '../../protocol/subjects.ts'
import type { TapeRules } from '../../protocol/tape.ts'
import type { PairReport } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import type { Effects, Machine } from '../runtime/machine.ts'
import { Book } from './book/book.ts'
import { condition, marketState, selfTrade, side, timeInForce } from './book/terms.ts'
import type { BookRules, NewOrder } from './book/terms.ts'
import { bookNumber, NamedOrders } from './names.ts'
import type { NamedOrder } from './names.ts'
import { readSnapshot, takeSnapshot } from './snapshot.ts'
import { Tape } from './tape.ts'
import { Telling } from './telling.ts'
import { Timers } from './timers.ts'

type Place = Extract<PairMessage, { kind: 'place' }>
type Cancel = Extract<PairMessage, { kind: 'cancel' }>
type Amend = Extract<PairMessage, { kind: 'amend' }>
type CancelAll = Extract<PairMessage, { kind: 'cancelAll' }>
type SetTimer = Extract<PairMessage, { kind: 'timer' }>

const lifetimes = { GTC: timeInForce.rest, GTD: timeInForce.rest, IOC: timeInForce.ioc, FOK: timeInForce.fok } as const
const stateNames = Object.keys(marketState) as MarketState[]

/**
 * One market. It takes orders whose funds a vault actor has reserved, and tells: the gateway that asked, how the market left the order; the
 * vault actors of both traders, everything that happens to their orders, in order; the settlement actor, each trade. The book knows
 * numbers; this is where they have names.
 */
export class PairMachine implements Machine<PairCommand, PairQuery, PairMessage, PairSetting> {
  readonly #market: Market
  readonly #partitions: number
  readonly #settlement: ActorName
  readonly #rules: BookRules
  #book: Book
  #names = new NamedOrders()
  #timers = new Timers()
  readonly #tape: Tape
  #fees = noFees
  #telling: Telling
  /** Used again for every order: the book reads it at once. */
  readonly #incoming: NewOrder = {
    id: 0, account: 0, side: side.buy, ticks: 0, lots: 0, budget: 0, timeInForce: timeInForce.rest, postOnly: false,
    condition: condition.none, minimum: 0, returnRemainder: false, selfTrade: selfTrade.cancelNewest, expires: 0,
  }

  constructor(market: Market, venue: Venue, maxOrders: number = market.rules.maxOrders) {
    assert(venue.markets.has(market.name), 'a pair actor keeps a market of its venue')
    const { minLots, maxLots, maxTicks, maxValue, maxOrdersPerAccount, maxConditionalOrders } = market.rules
    this.#market = market
    this.#partitions = venue.file.vaultPartitions
    this.#settlement = settlementActor(venue.channel)
    // What it charges it is told.
    this.#rules = { minLots, maxLots, maxTicks, maxValue, maxOrders, maxOrdersPerAccount, maxConditionalOrders, fees: null }
    this.#book = new Book(this.#rules)
    this.#tape = new Tape(market)
    this.#telling = new Telling(market, this.#names, this.#settlement, this.#tape)
  }

  /** For reading only. */
  get book(): Pick<Book, 'size' | 'nextExpiry' | 'check'> {
    return this.#book
  }

  /** The orders of one side by priority, by name. For reading only. */
  *resting(which: Side): IterableIterator<{ readonly order: Readonly<NamedOrder>; readonly open: Lots; readonly expires: Seconds }> {
    for (const { id, open, expires } of this.#book.resting(side[which])) yield { order: this.#names.get(id), open: open as Lots, expires: expires as Seconds }
  }

  get trades(): number {
    return this.#telling.trades
  }

  get status(): MarketStatus {
    const state = stateNames.find((name) => marketState[name] === this.#book.state)
    assert(state !== undefined, 'every state of a market has a name')
    return { state, lowTicks: this.#book.lowTicks as Ticks, highTicks: this.#book.highTicks as Ticks }
  }

  /** What it keeps now of what each side receives. */
  get fees(): FeeRates {
    return this.#fees
  }

  /** By which it prints now. */
  get tapeRules(): TapeRules | null {
    return this.#tape.rules
  }

  advance(effects: Effects): void {
    this.#tape.advance(effects.time, (print) => effects.publish(print))
    let lapsed: Set<number> | undefined
    for (let timer = this.#timers.lapse(effects.time); timer !== null; timer = this.#timers.lapse(effects.time)) {
      lapsed ??= new Set()
      for (const number of this.#covered(timer.account, timer.signer)) lapsed.add(number)
    }
    // All that has ended goes at once: none of it trades with what has waited for something else to go.
    this.#end(lapsed, effects)
  }

  deadline(): Milliseconds | null {
    const due = Math.min(this.#book.nextExpiry * 1000 || Infinity, this.#timers.deadline ?? Infinity, this.#tape.deadline ?? Infinity)
    return due === Infinity ? null : (due as Milliseconds)
  }

  message(from: ActorName, message: PairMessage, effects: Effects): void {
    assert(from === vaultOf(message.account, this.#partitions), 'only the vault actor that owns an account speaks for it')
    switch (message.kind) {
      case 'place':
        return this.#place(from, message, effects)
      case 'cancel':
        return this.#cancel(from, message, effects)
      case 'amend':
        return this.#amend(from, message, effects)
      case 'cancelAll':
        return this.#cancelAll(from, message, effects)
      case 'timer':
        return this.#timer(from, message, effects)
    }
  }

  /** An operator's. Traders speak to a market through a vault actor, which reserves first. */
  command(command: PairCommand, reply: ReplyTo, effects: Effects): void {
    effects.answer(reply, this.#command(command, effects))
  }

  query(query: PairQuery): Answer {
    return query.kind === 'market' ? { ok: this.status } : { refused: 'request_malformed' }
  }

  local(setting: PairSetting): void {
    if (setting.kind === 'tape') this.#tape.follow(setting.rules)
    else this.#charge(setting.rates)
  }

  snapshot(): Uint8Array {
    return takeSnapshot(this.#book, this.#names, this.#timers, this.#telling.trades, this.#tape.state, this.#fees)
  }

  restore(bytes: Uint8Array): void {
    const { book, names, timers, trades, tape, fees } = readSnapshot(bytes, this.#rules)
    this.#tape.restore(tape)
    this.#book = book
    this.#charge(fees)
    this.#names = names
    this.#timers = timers
    this.#telling = new Telling(this.#market, names, this.#settlement, this.#tape)
    this.#telling.trades = trades
  }

  #charge(rates: FeeRates): void {
    const { lotSize, tickSize } = this.#market.rules
    this.#fees = rates
    this.#book.charge(rates.maker_ppm + rates.taker_ppm === 0 ? null : { ...rates, lotSize: Number(lotSize), tickSize: Number(tickSize) })
  }

  #place(vault: ActorName, place: Place, effects: Effects): void {
    const { maxLots } = this.#rules
    const number = bookNumber(place.number, partitionNumber(vault))
    const spends = place.spend > 0n
    // What a budget buys is bounded like any other order of the market.
    const lots = spends ? (maxLots as Lots) : place.lots
    const order = this.#names.add(number, {
      id: place.order, account: place.account, signer: place.signer, handle: 0, vault, created: place.created, ticks: place.ticks, lots,
      filledLots: 0 as Lots, filledQuote: 0n as Amount, rested: false, reason: null,
    })
    // Its way here may have taken longer than it had to live.
    if (secondsOf(effects.time) >= place.expires) this.#telling.to(effects).close(number, 'expired')
    else if (this.#timers.over(place.account, place.signer ?? place.account)) this.#telling.to(effects).close(number, 'dead_man')
    else {
      const { terms } = place
      const incoming = this.#incoming
      incoming.id = number
      incoming.account = order.handle
      incoming.side = side[place.side]
      incoming.ticks = place.ticks
      incoming.lots = lots
      incoming.budget = spends ? Number(place.spend / this.#market.rules.tickSize) : 0
      incoming.timeInForce = place.mayRest ? lifetimes[place.timeInForce] : place.timeInForce === 'FOK' ? timeInForce.fok : timeInForce.ioc
      incoming.postOnly = terms.postOnly
      incoming.condition = condition[terms.condition]
      incoming.minimum = terms.minimum
      incoming.returnRemainder = terms.returnRemainder
      incoming.selfTrade = selfTrade[terms.selfTrade]
      incoming.expires = place.expires
      // Less than one tick pays for nothing.
      if (spends && incoming.budget === 0) this.#telling.to(effects).close(number, 'no_liquidity')
      else {
        this.#book.place(incoming)
        this.#tell(effects)
      }
    }
    answer(place.reply, { ok: outcome(order, effects.time) }, effects)
  }

  #cancel(vault: ActorName, cancel: Cancel, effects: Effects): void {
    const number = bookNumber(cancel.number, partitionNumber(vault))
    const order = this.#named(number, cancel)
    // The vault actor's knowledge is a moment old: the order may have traded or expired on the way.
    if (order === undefined) return answer(cancel.reply, { refused: 'order_not_open' }, effects)
    this.#book.cancel(number, order.handle)
    const { refused } = this.#tell(effects)
    const state = outcome(order, effects.time)
    answer(cancel.reply, refused === null ? { ok: state } : { refused, found: state }, effects)
  }

  #amend(vault: ActorName, amend: Amend, effects: Effects): void {
    const number = bookNumber(amend.number, partitionNumber(vault))
    const order = this.#named(number, amend)
    let refused: ReturnType<Telling['to']>['refused'] = 'order_not_open'
    if (order !== undefined) {
      this.#telling.amend = amend.amend
      this.#book.amend(number, order.handle, amend.ticks, amend.lots)
      refused = this.#tell(effects).refused
      this.#telling.amend = null
    }
    if (refused === null) return answer(amend.reply, { ok: outcome(order!, effects.time) }, effects)
    const { order: id, account } = amend
    effects.send(vault, { kind: 'amendRefused', order: id, account, amend: amend.amend, reason: refused, time: effects.time } satisfies PairReport)
    answer(amend.reply, order === undefined ? { refused } : { refused, found: outcome(order, effects.time) }, effects)
  }

  #cancelAll(vault: ActorName, { account, sweep }: CancelAll, effects: Effects): void {
    const halted = this.#book.state === marketState.halted
    const cancelled = halted ? 0 : this.#sweep(account, effects)
    effects.send(vault, { kind: 'swept', account, sweep, cancelled, halted, time: effects.time } satisfies PairReport)
  }

  /** In any state of the market: it is a time that was agreed on before, like an expiry. */
  #timer(vault: ActorName, { account, signer, takeBack, deadline, ask }: SetTimer, effects: Effects): void {
    // What it has told counts by its own time alone, so what comes too late has run out already.
    if (takeBack || (deadline !== null && deadline <= effects.time)) this.#end(this.#covered(account, signer), effects)
    this.#timers.set(account, signer, deadline, effects.time)
    if (ask !== null) effects.send(vault, { kind: 'timed', account, signer, ask, time: effects.time } satisfies PairReport)
  }

  #command(command: PairCommand, effects: Effects): Answer {
    switch (command.kind) {
      case 'control': {
        const { state, lowTicks, highTicks } = command
        const whole = Number.isInteger(lowTicks) && Number.isInteger(highTicks)
        if (!stateNames.includes(state) || !whole || lowTicks < 1 || lowTicks > highTicks || highTicks > this.#rules.maxTicks) return { refused: 'request_malformed' }
        this.#book.control(marketState[state], lowTicks, highTicks)
        this.#tell(effects)
        return { ok: this.status }
      }
      case 'cancelAll':
        return { ok: { cancelled: this.#sweep(command.account, effects) } }
      case 'sweep':
        return { ok: this.#sweepSome(effects) }
      default:
        return { refused: 'request_malformed' }
    }
  }

  /** Takes every order of an account out, and says how many. */
  #sweep(account: NamedOrder['account'], effects: Effects): number {
    const handle = this.#names.handleOf(account)
    if (handle === undefined) return 0
    const cancelled = this.#book.ordersOf(handle)
    this.#book.cancelAll(handle)
    this.#tell(effects)
    return cancelled
  }

  /** Takes out as much as one record should hold. */
  #sweepSome(effects: Effects): Swept {
    let cancelled = 0
    for (const account of this.#names.accounts()) {
      cancelled += this.#sweep(account, effects)
      if (cancelled >= ORDERS_SWEPT) break
    }
    return { cancelled, open: this.#names.size }
  }

  /** Numbers of the orders that the timer of a key covers. */
  #covered(account: AccountId, signer: AccountId): Iterable<number> {
    if (signer !== account) return this.#names.placedBy(account, signer)
    const handle = this.#names.handleOf(account)
    return handle === undefined ? [] : this.#book.idsOf(handle)
  }

  /** Takes back orders whose time was over, and what has expired. */
  #end(lapsed: Iterable<number> | undefined, effects: Effects): void {
    this.#book.expire(secondsOf(effects.time), lapsed)
    this.#telling.takenBack = 'dead_man'
    this.#tell(effects)
    this.#telling.takenBack = 'cancelled'
  }

  /** Tells what the book has done since it was last asked. */
  #tell(effects: Effects): Telling {
    const telling = this.#telling.to(effects)
    telling.refused = null
    this.#book.events.read(telling)
    this.#book.events.clear()
    return telling
  }

  /** An open order, if it is the one that is meant and that account's. */
  #named(number: number, { order, account }: Cancel | Amend): NamedOrder | undefined {
    const named = this.#names.find(number)
    return named?.id === order && named.account === account ? named : undefined
  }
}

const secondsOf = (time: Milliseconds): Seconds => Math.floor(time / 1000) as Seconds
/** `vault.<partition>` */
const partitionNumber = (vault: ActorName): number => Number(vault.slice(vault.indexOf('.') + 1))

function outcome(order: NamedOrder, time: Milliseconds): PairOutcome {
  const { id, reason, ticks, lots, filledLots, filledQuote, created } = order
  return { order: id, status: reason === null ? 'open' : closedStatus(reason), reason, ticks, lots, filledLots, filledQuote, created, time }
}

function answer(reply: ReplyTo | null, what: Answer<PairOutcome>, effects: Effects): void {
  if (reply !== null) effects.answer(reply, what)
}
