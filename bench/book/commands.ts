import type { NewOrder } from '../../src/actors/pair/book/terms.ts'
import { condition, selfTrade, side, timeInForce } from '../../src/actors/pair/book/terms.ts'

/** What a command asks for. `move` changes the price, `reduce` lowers the total; both are amends of ours. */
export const kind = { rest: 0, ioc: 1, move: 2, reduce: 3, cancel: 4 } as const

/** Commands made ahead, member by member, so that a timed loop only reads numbers. */
export class Commands {
  readonly kinds: Uint8Array
  readonly sides: Uint8Array
  readonly ids: Float64Array
  readonly accounts: Int32Array
  readonly ticks: Int32Array
  readonly lots: Int32Array
  /** What a reduced order has open afterwards, for books that reduce by a difference. */
  readonly by: Int32Array
  size = 0

  constructor(most: number) {
    this.kinds = new Uint8Array(most)
    this.sides = new Uint8Array(most)
    this.ids = new Float64Array(most)
    this.accounts = new Int32Array(most)
    this.ticks = new Int32Array(most)
    this.lots = new Int32Array(most)
    this.by = new Int32Array(most)
  }

  add(what: number, id: number, account: number, which: number, ticks: number, lots: number, by = 0): void {
    const at = this.size++
    this.kinds[at] = what
    this.ids[at] = id
    this.accounts[at] = account
    this.sides[at] = which
    this.ticks[at] = ticks
    this.lots[at] = lots
    this.by[at] = by
  }
}

/** An order object that is used again and again. */
export const blankOrder = (): NewOrder => ({
  id: 0, account: 0, side: side.buy, ticks: 0, lots: 0, budget: 0, timeInForce: timeInForce.rest, postOnly: false,
  condition: condition.none, minimum: 0, returnRemainder: false, selfTrade: selfTrade.cancelNewest, expires: 0,
})
