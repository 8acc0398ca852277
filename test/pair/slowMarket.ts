import type { PairMessage } from '../../src/protocol/pair.ts'

type Place = Extract<PairMessage, { kind: 'place' }>
type Cancel = Extract<PairMessage, { kind: 'cancel' }>

interface Waiting {
  readonly place: Place
  left: number
  filled: number
  quote: bigint
}

/**
 * The rules of a market written down as plainly as possible, to check the real one against: an array of orders in the order they came,
 * sorted anew for every question. It shares no code with the book. What happens is written as lines of text.
 */
export class SlowMarket {
  waiting: Waiting[] = []
  readonly lines: string[] = []
  readonly #tickSize: bigint
  readonly #maxLots: number
  readonly #maxOrders: number
  #trades = 0

  constructor(tickSize: bigint, maxLots: number, maxOrders: number) {
    this.#tickSize = tickSize
    this.#maxLots = maxLots
    this.#maxOrders = maxOrders
  }

  tick(now_s: number): void {
    const due = this.waiting.filter((order) => order.place.expires <= now_s)
    this.waiting = this.waiting.filter((order) => order.place.expires > now_s)
    due.sort((a, b) => a.place.expires - b.place.expires)
    for (const order of due) this.lines.push(`closed ${order.place.order} expired`)
  }

  cancel(cancel: Cancel): void {
    const found = this.waiting.find((order) => order.place.order === cancel.order && order.place.account === cancel.account)
    if (found === undefined) {
      this.lines.push('answer order_not_open')
      return
    }
    this.waiting = this.waiting.filter((order) => order !== found)
    this.#end(found, 'cancelled')
  }

  place(place: Place, now_s: number): void {
    const order: Waiting = { place, left: place.spend > 0n ? this.#maxLots : place.lots, filled: 0, quote: 0n }
    if (place.expires <= now_s) return this.#end(order, 'expired')
    const rests = place.timeInForce === 'GTC' || place.timeInForce === 'GTD'
    if (place.timeInForce === 'FOK' && !this.#canAllTrade(place)) return this.#end(order, 'fok_unfillable')
    if (rests && this.waiting.length >= this.#maxOrders && !this.#canAllTrade(place)) return this.#end(order, 'market_full')

    for (const maker of this.#opposite(place)) {
      const price = BigInt(maker.place.ticks) * this.#tickSize
      let most = order.left
      if (place.spend > 0n) {
        const pays = (place.spend - order.quote) / price
        if (pays === 0n) return this.#end(order, order.filled > 0 ? 'filled' : 'no_liquidity')
        most = Math.min(most, Number(pays))
      }
      if (maker.place.account === place.account) return this.#end(order, 'self_trade')
      this.#trade(order, maker, Math.min(most, maker.left), price)
      // A maker that has something left met an order that could not take more.
      if (order.left === 0 || maker.left > 0 || (place.spend > 0n && place.spend - order.quote < this.#tickSize)) return this.#end(order, 'filled')
    }
    if (!rests) return this.#end(order, 'no_liquidity')
    this.waiting.push(order)
    this.lines.push(`rested ${place.order}`, `answer ${place.order} open ${order.filled} ${order.quote}`)
  }

  /** Orders that this one may trade with, best first. Array.sort keeps the order of arrival among equals. */
  #opposite(place: Place): Waiting[] {
    const sign = place.side === 'buy' ? 1 : -1
    return this.waiting
      .filter((other) => other.place.side !== place.side && (place.ticks === 0 || sign * other.place.ticks <= sign * place.ticks))
      .sort((a, b) => sign * (a.place.ticks - b.place.ticks))
  }

  #canAllTrade(place: Place): boolean {
    const opposite = this.#opposite(place)
    const own = opposite.findIndex((other) => other.place.account === place.account)
    const reachable = own < 0 ? opposite : opposite.slice(0, own)
    return reachable.reduce((sum, other) => sum + other.left, 0) >= place.lots
  }

  #trade(taker: Waiting, maker: Waiting, lots: number, price: bigint): void {
    this.#trades++
    for (const order of [taker, maker]) {
      order.left -= lots
      order.filled += lots
      order.quote += price * BigInt(lots)
      this.lines.push(`filled ${order.place.order} ${order === taker ? 'taker' : 'maker'} ${this.#trades} ${maker.place.ticks} ${lots}`)
    }
    if (maker.left === 0) {
      this.waiting = this.waiting.filter((order) => order !== maker)
      this.lines.push(`closed ${maker.place.order} filled`)
    }
    const [buy, sell] = taker.place.side === 'buy' ? [taker, maker] : [maker, taker]
    this.lines.push(`trade ${this.#trades} ${buy.place.order} ${sell.place.order} ${maker.place.ticks} ${lots}`)
  }

  #end(order: Waiting, reason: string): void {
    const status = { filled: 'filled', expired: 'expired', market_full: 'rejected' }[reason] ?? 'cancelled'
    this.lines.push(`closed ${order.place.order} ${reason}`, `answer ${order.place.order} ${status} ${order.filled} ${order.quote}`)
  }
}
