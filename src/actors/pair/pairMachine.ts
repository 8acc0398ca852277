import assert from 'node:assert/strict'
import type { ActorName, Amount, Lots, Milliseconds, Seconds, TradeId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Market } from '../../protocol/market.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import { closedStatus } from '../../protocol/pair.ts'
import type { CloseReason, FillRole, PairMessage, PairOutcome, Trade } from '../../protocol/pair.ts'
import { settlementActor, vaultOf } from '../../protocol/subjects.ts'
import type { PairChange, PairReport } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import type { Effects, Machine } from '../runtime/machine.ts'
import { Book } from './book.ts'
import type { BookEvents, Handling } from './book.ts'
import { Order } from './order.ts'

type Place = Extract<PairMessage, { kind: 'place' }>
type Cancel = Extract<PairMessage, { kind: 'cancel' }>

/**
 * One market. It takes orders whose funds a vault actor has reserved, and tells: the gateway that asked, how the market left the order; the
 * vault actors of both traders, everything that happens to their orders, in order; the settlement actor, each trade.
 */
export class PairMachine implements Machine<never, never, PairMessage, never> {
  readonly #market: Market
  readonly #partitions: number
  readonly #settlement = settlementActor(0)
  readonly #book: Book
  /** Trades of this market so far: the number in the last trade's id. */
  #trades = 0

  constructor(market: Market, venue: Venue, maxOrders: number = limits.openOrdersPerMarket) {
    assert(venue.markets.has(market.name), 'a pair actor keeps a market of its venue')
    this.#market = market
    this.#partitions = venue.file.vaultPartitions
    this.#book = new Book(maxOrders)
  }

  /** For reading only. */
  get book(): Pick<Book, 'size' | 'resting' | 'nextExpiry'> {
    return this.#book
  }

  get trades(): number {
    return this.#trades
  }

  advance(effects: Effects): void {
    this.#book.expire(secondsOf(effects.time), this.#events(effects))
  }

  deadline(): Milliseconds | null {
    const next = this.#book.nextExpiry
    return next === null ? null : ((next * 1000) as Milliseconds)
  }

  message(from: ActorName, message: PairMessage, effects: Effects): void {
    assert(from === vaultOf(message.account, this.#partitions), 'only the vault actor that owns an account speaks for it')
    switch (message.kind) {
      case 'place':
        return this.#place(from, message, effects)
      case 'cancel':
        return this.#cancel(message, effects)
    }
  }

  /** Gateways speak to a market through a vault actor, which reserves first. */
  command(_command: never, reply: ReplyTo, effects: Effects): void {
    effects.answer(reply, { refused: 'request_malformed' })
  }

  query(_query: never): Answer {
    return { refused: 'request_malformed' }
  }

  local(_input: never, _effects: Effects): void {
    assert.fail('a pair actor has no driver')
  }

  #place(vault: ActorName, place: Place, effects: Effects): void {
    const { maxLots, tickSize } = this.#market.rules
    const spends = place.spend > 0n
    const order = new Order({
      id: place.order,
      account: place.account,
      vault,
      side: place.side,
      ticks: place.ticks,
      // What a budget buys is bounded like any other order of the market.
      lots: spends ? (maxLots as Lots) : place.lots,
      expires: place.expires,
      created: place.created,
    })
    const handling: Handling = {
      rests: place.mayRest && (place.timeInForce === 'GTC' || place.timeInForce === 'GTD'),
      whole: place.timeInForce === 'FOK',
      budget: spends ? place.spend / tickSize : null,
    }
    // Its way here may have taken longer than it had to live.
    const expired = secondsOf(effects.time) >= place.expires
    const reason = expired ? 'expired' : this.#book.place(order, handling, this.#events(effects))
    if (reason === null) report(order, { kind: 'rested', order: order.id, account: order.account }, effects)
    else report(order, { kind: 'closed', order: order.id, account: order.account, reason }, effects)
    answer(place.reply, { ok: outcome(order, reason, effects.time) }, effects)
  }

  #cancel(cancel: Cancel, effects: Effects): void {
    const order = this.#book.cancel(cancel.order, cancel.account)
    // The vault actor's knowledge is a moment old: the order may have traded or expired on the way.
    if (order === undefined) return answer(cancel.reply, { refused: 'order_not_open' }, effects)
    report(order, { kind: 'closed', order: order.id, account: order.account, reason: 'cancelled' }, effects)
    answer(cancel.reply, { ok: outcome(order, 'cancelled', effects.time) }, effects)
  }

  #events(effects: Effects): BookEvents {
    return {
      traded: (taker, maker, lots) => this.#traded(taker, maker, lots, effects),
      expired: (order) => report(order, { kind: 'closed', order: order.id, account: order.account, reason: 'expired' }, effects),
    }
  }

  #traded(taker: Order, maker: Order, lots: Lots, effects: Effects): void {
    assert(taker.account !== maker.account, 'an account does not trade with itself')
    const [buy, sell] = taker.side === 'buy' ? [taker, maker] : [maker, taker]
    this.#trades++
    const trade: Trade = {
      kind: 'trade',
      id: `${this.#market.name}:${this.#trades}` as TradeId,
      market: this.#market.name,
      buyer: buy.account,
      seller: sell.account,
      buyOrder: buy.id,
      sellOrder: sell.id,
      ticks: maker.ticks,
      lots,
      base: this.#market.baseAmount(lots),
      quote: this.#market.quoteAmount(maker.ticks, lots),
      time: effects.time,
    }
    filled(taker, 'taker', trade, effects)
    filled(maker, 'maker', trade, effects)
    if (maker.lots === 0) report(maker, { kind: 'closed', order: maker.id, account: maker.account, reason: 'filled' }, effects)
    effects.send(this.#settlement, trade)
  }
}

const secondsOf = (time: Milliseconds): Seconds => Math.floor(time / 1000) as Seconds

const report = (order: Order, what: PairChange, effects: Effects): void => effects.send(order.vault, { ...what, time: effects.time } satisfies PairReport)

function filled(order: Order, role: FillRole, trade: Trade, effects: Effects): void {
  order.filledQuote = (order.filledQuote + trade.quote) as Amount
  const { id, ticks, lots, base, quote } = trade
  report(order, { kind: 'filled', order: order.id, account: order.account, trade: id, role, ticks, lots, base, quote }, effects)
}

function outcome(order: Order, reason: CloseReason | null, time: Milliseconds): PairOutcome {
  const { id, filledLots, filledQuote, created } = order
  return { order: id, status: reason === null ? 'open' : closedStatus(reason), reason, filledLots, filledQuote, created, time }
}

function answer(reply: ReplyTo | null, what: Answer<PairOutcome>, effects: Effects): void {
  if (reply !== null) effects.answer(reply, what)
}
