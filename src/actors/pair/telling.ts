import assert from 'node:assert/strict'
import type { ActorName, Amount, Lots, MessageId, Ticks, TradeId } from '../../protocol/identity.ts'
import type { Market } from '../../protocol/market.ts'
import type { AmendRefusal, CloseReason, FillRole, Trade } from '../../protocol/pair.ts'
import type { PairChange, PairReport } from '../../protocol/vault.ts'
import type { Effects } from '../runtime/machine.ts'
import type { EventReader } from './book/events.ts'
import { command, reduction, side } from './book/terms.ts'
import type { Command, Side } from './book/terms.ts'
import type { NamedOrder, NamedOrders } from './names.ts'
import { closedBy, refusedBy, rejectedBy } from './reasons.ts'
import type { Tape } from './tape.ts'

/**
 * Hears what the book did and tells the venue, by the names that it knows: the vault actors of both traders everything that happens to their orders, in order; the
 * settlement actor each trade.
 */
export class Telling implements EventReader {
  /** Trades of this market so far: the number in the last trade's id. */
  trades = 0
  /** The amend that is being told, and why it was refused. */
  amend: MessageId | null = null
  refused: AmendRefusal | null = null
  /** Why orders are taken back that nobody else ends. */
  takenBack: CloseReason = 'cancelled'
  readonly #market: Market
  readonly #names: NamedOrders
  readonly #settlement: ActorName
  readonly #tape: Tape
  #effects: Effects | null = null

  constructor(market: Market, names: NamedOrders, settlement: ActorName, tape: Tape) {
    this.#market = market
    this.#names = names
    this.#settlement = settlement
    this.#tape = tape
  }

  /** Where what is told from now on goes. */
  to(effects: Effects): this {
    this.#effects = effects
    return this
  }

  /** Its vault actor knows all of it. */
  accepted(): void {}

  rested(id: number): void {
    const order = this.#names.get(id)
    // An amended order that rests again: `amended` has said where.
    if (order.rested) return
    order.rested = true
    this.#report(order, { kind: 'rested', order: order.id, account: order.account })
  }

  filled(maker: number, taker: number, _makerAccount: number, _takerAccount: number, takerSide: Side, ticks: number, lots: number, makerOpen: number, takerOpen: number, makerFee: number, takerFee: number): void {
    const making = this.#names.get(maker)
    const taking = this.#names.get(taker)
    assert(making.account !== taking.account, 'an account does not trade with itself')
    const [buy, sell] = takerSide === side.buy ? [taking, making] : [making, taking]
    const [buyerFee, sellerFee] = takerSide === side.buy ? [takerFee, makerFee] : [makerFee, takerFee]
    this.trades++
    const { effects } = this
    const trade: Trade = {
      kind: 'trade',
      id: `${this.#market.name}:${this.trades}` as TradeId,
      market: this.#market.name,
      buyer: buy.account,
      seller: sell.account,
      buyOrder: buy.id,
      sellOrder: sell.id,
      ticks: ticks as Ticks,
      lots: lots as Lots,
      base: this.#market.baseAmount(lots as Lots),
      quote: this.#market.quoteAmount(ticks as Ticks, lots as Lots),
      buyerFee: BigInt(buyerFee) as Amount,
      sellerFee: BigInt(sellerFee) as Amount,
      time: effects.time,
      journal: effects.digest,
    }
    this.#fill(taking, 'taker', trade)
    this.#fill(making, 'maker', trade)
    if (makerOpen === 0) this.close(maker, 'filled')
    effects.send(this.#settlement, trade)
    this.#tape.traded(trade.ticks, trade.lots, trade.time)
    if (takerOpen === 0) this.close(taker, 'filled')
  }

  reduced(id: number, by: number, _open: number, reason: number): void {
    const order = this.#names.get(id)
    order.lots = (order.lots - by) as Lots
    if (reason === reduction.amend) this.#amended(order)
    else this.#report(order, { kind: 'reduced', order: order.id, account: order.account, lots: by as Lots })
  }

  amended(id: number, ticks: number, open: number): void {
    const order = this.#names.get(id)
    order.ticks = ticks as Ticks
    order.lots = (order.filledLots + open) as Lots
    this.#amended(order)
  }

  cancelled(id: number, _open: number, reason: number): void {
    const why = closedBy(reason)
    this.close(id, why === 'cancelled' ? this.takenBack : why)
  }

  expired(id: number): void {
    this.close(id, 'expired')
  }

  rejected(what: Command, id: number, _account: number, reason: number): void {
    if (what === command.place) this.close(id, rejectedBy(reason))
    else this.refused = refusedBy(reason)
  }

  /** A market's state is asked for, not told. */
  controlled(): void {}

  /** Says that an order is closed, and forgets its name. */
  close(id: number, reason: CloseReason): void {
    const order = this.#names.get(id)
    order.reason = reason
    this.#report(order, { kind: 'closed', order: order.id, account: order.account, reason })
    this.#names.drop(id)
  }

  get effects(): Effects {
    assert(this.#effects !== null, 'something is told while a batch is applied')
    return this.#effects
  }

  #amended(order: NamedOrder): void {
    assert(this.amend !== null, 'an order is amended by a message')
    this.#report(order, { kind: 'amended', order: order.id, account: order.account, amend: this.amend, ticks: order.ticks, lots: order.lots })
  }

  #fill(order: NamedOrder, role: FillRole, { id, ticks, lots, base, quote, buyOrder, buyerFee, sellerFee }: Trade): void {
    const fee = order.id === buyOrder ? buyerFee : sellerFee
    order.filledLots = (order.filledLots + lots) as Lots
    order.filledQuote = (order.filledQuote + quote) as Amount
    this.#report(order, { kind: 'filled', order: order.id, account: order.account, trade: id, role, ticks, lots, base, quote, fee })
  }

  #report(order: NamedOrder, what: PairChange): void {
    this.effects.send(order.vault, { ...what, time: this.effects.time } satisfies PairReport)
  }
}
