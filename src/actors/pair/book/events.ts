import assert from 'node:assert/strict'
import { cancellation, reduction, refusal } from './terms.ts'
import type { BookEvent, CancellationName, Command, Condition, MarketState, NewOrder, ReductionName, RefusalName, SelfTrade, Side, TimeInForce } from './terms.ts'

/** What an event is, in its first word. The numbers are in digests: never reuse one. */
const kind = { accepted: 1, rested: 2, filled: 3, reduced: 4, amended: 5, cancelled: 6, expired: 7, rejected: 8, controlled: 9 } as const
/** Words of each kind, the first included; even, since doubles begin at even words. */
const length = [0, 12, 6, 16, 6, 6, 6, 4, 8, 4] as const
const LONGEST = 16
const SMALLEST = 4_096

/** Hears events in the order in which they happened. Numbers only, so that reading makes no garbage; reasons are the numbers of terms.ts. */
export interface EventReader {
  accepted(
    id: number,
    account: number,
    side: Side,
    ticks: number,
    lots: number,
    budget: number,
    timeInForce: TimeInForce,
    postOnly: boolean,
    condition: Condition,
    minimum: number,
    returnRemainder: boolean,
    selfTrade: SelfTrade,
    expires: number,
  ): void
  rested(id: number, ticks: number, open: number): void
  filled(
    maker: number,
    taker: number,
    makerAccount: number,
    takerAccount: number,
    takerSide: Side,
    ticks: number,
    lots: number,
    makerOpen: number,
    takerOpen: number,
    makerFee: number,
    takerFee: number,
  ): void
  reduced(id: number, by: number, open: number, reason: number): void
  amended(id: number, ticks: number, open: number): void
  cancelled(id: number, open: number, reason: number): void
  expired(id: number, open: number): void
  rejected(command: Command, id: number, account: number, reason: number, open: number, filled: number): void
  controlled(state: MarketState, lowTicks: number, highTicks: number): void
}

/** Events in a buffer that is used again and grows in steps: 16 to 64 bytes each, whatever is not said zero, so that same events are same bytes. */
export class EventLog {
  #words: Int32Array
  #doubles: Float64Array
  #end = 0
  #count = 0

  constructor() {
    const buffer = new ArrayBuffer(SMALLEST * 4)
    this.#words = new Int32Array(buffer)
    this.#doubles = new Float64Array(buffer)
  }

  get count(): number {
    return this.#count
  }
  get bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.#end * 4)
  }

  clear(): void {
    this.#end = 0
    this.#count = 0
  }

  accepted(order: NewOrder): void {
    const at = this.#begin(kind.accepted)
    const words = this.#words
    words[at + 1] =
      order.side | (order.timeInForce << 1) | (order.condition << 3) | (order.selfTrade << 5) | (order.postOnly ? 128 : 0) | (order.returnRemainder ? 256 : 0)
    this.#doubles[(at + 2) >>> 1] = order.id
    this.#doubles[(at + 4) >>> 1] = order.budget
    words[at + 6] = order.account
    words[at + 7] = order.ticks
    words[at + 8] = order.lots
    words[at + 9] = order.minimum
    words[at + 10] = order.expires
    words[at + 11] = 0
  }

  rested(id: number, ticks: number, open: number): void {
    this.#short(kind.rested, id, ticks, open, 0)
  }
  amended(id: number, ticks: number, open: number): void {
    this.#short(kind.amended, id, ticks, open, 0)
  }
  cancelled(id: number, open: number, reason: number): void {
    this.#short(kind.cancelled, id, reason, open, 0)
  }
  reduced(id: number, by: number, open: number, reason: number): void {
    this.#short(kind.reduced, id, reason, open, by)
  }

  filled(
    maker: number,
    taker: number,
    makerAccount: number,
    takerAccount: number,
    takerSide: Side,
    ticks: number,
    lots: number,
    makerOpen: number,
    takerOpen: number,
    makerFee: number,
    takerFee: number,
  ): void {
    const at = this.#begin(kind.filled)
    const words = this.#words
    const doubles = this.#doubles
    words[at + 1] = takerSide
    doubles[(at + 2) >>> 1] = maker
    doubles[(at + 4) >>> 1] = taker
    words[at + 6] = makerAccount
    words[at + 7] = takerAccount
    words[at + 8] = ticks
    words[at + 9] = lots
    words[at + 10] = makerOpen
    words[at + 11] = takerOpen
    doubles[(at + 12) >>> 1] = makerFee
    doubles[(at + 14) >>> 1] = takerFee
  }

  expired(id: number, open: number): void {
    const at = this.#begin(kind.expired)
    this.#words[at + 1] = open
    this.#doubles[(at + 2) >>> 1] = id
  }

  rejected(command: Command, id: number, account: number, reason: number, open: number, filled: number): void {
    const at = this.#begin(kind.rejected)
    const words = this.#words
    words[at + 1] = command | (reason << 8)
    this.#doubles[(at + 2) >>> 1] = id
    words[at + 4] = account
    words[at + 5] = open
    words[at + 6] = filled
    words[at + 7] = 0
  }

  controlled(state: MarketState, lowTicks: number, highTicks: number): void {
    const at = this.#begin(kind.controlled)
    const words = this.#words
    words[at + 1] = state
    words[at + 2] = lowTicks
    words[at + 3] = highTicks
  }

  read(reader: EventReader): void {
    const words = this.#words
    const doubles = this.#doubles
    for (let at = 0; at < this.#end; at += length[words[at]!]!) {
      const first = words[at + 1]!
      const id = doubles[(at + 2) >>> 1]!
      switch (words[at]!) {
        case kind.accepted:
          reader.accepted(
            id,
            words[at + 6]! >>> 0,
            (first & 1) as Side,
            words[at + 7]!,
            words[at + 8]!,
            doubles[(at + 4) >>> 1]!,
            ((first >>> 1) & 3) as TimeInForce,
            (first & 128) !== 0,
            ((first >>> 3) & 3) as Condition,
            words[at + 9]!,
            (first & 256) !== 0,
            ((first >>> 5) & 3) as SelfTrade,
            words[at + 10]! >>> 0,
          )
          break
        case kind.rested:
          reader.rested(id, first, words[at + 4]!)
          break
        case kind.filled:
          reader.filled(
            id,
            doubles[(at + 4) >>> 1]!,
            words[at + 6]! >>> 0,
            words[at + 7]! >>> 0,
            first as Side,
            words[at + 8]!,
            words[at + 9]!,
            words[at + 10]!,
            words[at + 11]!,
            doubles[(at + 12) >>> 1]!,
            doubles[(at + 14) >>> 1]!,
          )
          break
        case kind.reduced:
          reader.reduced(id, words[at + 5]!, words[at + 4]!, first)
          break
        case kind.amended:
          reader.amended(id, first, words[at + 4]!)
          break
        case kind.cancelled:
          reader.cancelled(id, words[at + 4]!, first)
          break
        case kind.expired:
          reader.expired(id, first)
          break
        case kind.rejected:
          reader.rejected((first & 255) as Command, id, words[at + 4]! >>> 0, first >>> 8, words[at + 5]!, words[at + 6]!)
          break
        case kind.controlled:
          reader.controlled(first as MarketState, words[at + 2]!, words[at + 3]!)
          break
        default:
          assert.fail('the log holds events of known kinds')
      }
    }
  }

  #short(what: number, id: number, first: number, open: number, by: number): void {
    const at = this.#begin(what)
    const words = this.#words
    words[at + 1] = first
    this.#doubles[(at + 2) >>> 1] = id
    words[at + 4] = open
    words[at + 5] = by
  }

  #begin(what: number): number {
    const at = this.#end
    if (at + LONGEST > this.#words.length) this.#grow()
    this.#words[at] = what
    this.#end = at + length[what]!
    this.#count++
    return at
  }

  #grow(): void {
    const old = this.#words
    const buffer = new ArrayBuffer(old.byteLength * 2)
    this.#words = new Int32Array(buffer)
    this.#doubles = new Float64Array(buffer)
    this.#words.set(old)
  }
}

const nameOf = <Name extends string>(table: Readonly<Record<Name, number>>, number: number): Name => {
  const found = (Object.keys(table) as Name[]).find((name) => table[name] === number)
  if (found === undefined) throw new Error(`no reason has the number ${number}`)
  return found
}
export const refusalName = (number: number): RefusalName => nameOf(refusal, number)
export const cancellationName = (number: number): CancellationName => nameOf(cancellation, number)
export const reductionName = (number: number): ReductionName => nameOf(reduction, number)

/** The events as plain objects. */
export function decodeEvents(log: EventLog): BookEvent[] {
  const events: BookEvent[] = []
  log.read({
    accepted: (id, account, side, ticks, lots, budget, timeInForce, postOnly, condition, minimum, returnRemainder, selfTrade, expires) =>
      events.push({ event: 'accepted', id, account, side, ticks, lots, budget, timeInForce, postOnly, condition, minimum, returnRemainder, selfTrade, expires }),
    rested: (id, ticks, open) => events.push({ event: 'rested', id, ticks, open }),
    filled: (maker, taker, makerAccount, takerAccount, takerSide, ticks, lots, makerOpen, takerOpen, makerFee, takerFee) =>
      events.push({ event: 'filled', maker, taker, makerAccount, takerAccount, takerSide, ticks, lots, makerOpen, takerOpen, makerFee, takerFee }),
    reduced: (id, by, open, reason) => events.push({ event: 'reduced', id, by, open, reason: reductionName(reason) }),
    amended: (id, ticks, open) => events.push({ event: 'amended', id, ticks, open }),
    cancelled: (id, open, reason) => events.push({ event: 'cancelled', id, open, reason: cancellationName(reason) }),
    expired: (id, open) => events.push({ event: 'expired', id, open }),
    rejected: (command, id, account, reason, open, filled) => events.push({ event: 'rejected', command, id, account, reason: refusalName(reason), open, filled }),
    controlled: (state, lowTicks, highTicks) => events.push({ event: 'controlled', state, lowTicks, highTicks }),
  })
  return events
}
