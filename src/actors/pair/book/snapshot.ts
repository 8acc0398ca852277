import type { Admission } from './admission.ts'
import type { Gathering } from './gathering.ts'
import { conditionOf, word } from './orderPool.ts'
import type { RestingOrders } from './resting.ts'
import { condition, marketState, side } from './terms.ts'
import type { MarketState } from './terms.ts'

const VERSION = 1
/** version u8 · state u8 · zero u16 · orders u32 · low u32 · high u32, little-endian. */
const HEADER = 16
/** id f64 · account u32 · ticks u32 · open u32 · filled u32 · flags u32 · minimum u32 · expires u32 · zero u32. */
const ORDER = 40
const FLAGS = 128
const MOST = 0x7fffffff

/** State, band, and the resting orders, those that came first, first: all that a book is. Ranks and slots are accidents of its history and do not appear. */
export function writeSnapshot(resting: RestingOrders, admission: Admission, gathering: Gathering, accountOf: (account: number) => number): Uint8Array {
  const { pool } = resting
  const { words } = pool
  gathering.clear()
  for (const which of [side.buy, side.sell]) {
    for (let slot = resting.best(which); slot !== 0; slot = resting.following(which, slot)) gathering.add(slot)
  }
  gathering.sort()
  const bytes = new Uint8Array(HEADER + gathering.size * ORDER)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, VERSION)
  view.setUint8(1, admission.state)
  view.setUint32(4, gathering.size, true)
  view.setUint32(8, admission.lowTicks, true)
  view.setUint32(12, admission.highTicks, true)
  for (let i = 0; i < gathering.size; i++) {
    const slot = gathering.slot(i)
    const at = slot << 4
    const to = HEADER + i * ORDER
    const flags = pool.flags(slot)
    const kind = conditionOf(flags)
    view.setFloat64(to, pool.id(slot), true)
    view.setUint32(to + 8, accountOf(words[at + word.account]! >>> 0), true)
    view.setUint32(to + 12, words[at + word.ticks]!, true)
    view.setUint32(to + 16, words[at + word.open]!, true)
    view.setUint32(to + 20, words[at + word.filled]!, true)
    view.setUint32(to + 24, flags, true)
    view.setUint32(to + 28, kind === condition.aggregate || kind === condition.perCounterparty ? pool.minimum(slot) : 0, true)
    view.setUint32(to + 32, words[at + word.expires]!, true)
  }
  return bytes
}

export interface SnapshotHead {
  readonly state: MarketState
  readonly lowTicks: number
  readonly highTicks: number
  readonly orders: number
}

/**
 * Reads the head of a snapshot and, where `into` is given, puts its orders there, which must be empty.
 * @throws Error where the bytes are not one whole snapshot of this version
 */
export function readSnapshot(bytes: Uint8Array, into?: RestingOrders): SnapshotHead {
  const must = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(`snapshot of a book: ${what}`)
  }
  must(bytes.length >= HEADER, 'it is torn')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  must(view.getUint8(0) === VERSION, `its version is ${view.getUint8(0)} instead of ${VERSION}`)
  const state = view.getUint8(1)
  const orders = view.getUint32(4, true)
  const lowTicks = view.getUint32(8, true)
  const highTicks = view.getUint32(12, true)
  must(state <= marketState.halted && view.getUint16(2, true) === 0, 'its state is unknown')
  must(lowTicks >= 1 && lowTicks <= highTicks && highTicks <= MOST, 'its price band is none')
  must(bytes.length === HEADER + orders * ORDER, 'its length does not fit its number of orders')
  for (let i = 0; into !== undefined && i < orders; i++) {
    const at = HEADER + i * ORDER
    const id = view.getFloat64(at, true)
    // One by one: a list of them for each of a million orders costs more than all the rest.
    const account = view.getUint32(at + 8, true)
    const ticks = view.getUint32(at + 12, true)
    const open = view.getUint32(at + 16, true)
    const filled = view.getUint32(at + 20, true)
    const flags = view.getUint32(at + 24, true)
    const minimum = view.getUint32(at + 28, true)
    const expires = view.getUint32(at + 32, true)
    must(Number.isSafeInteger(id) && id >= 1, 'an order has no id')
    must(into.find(id) === 0, 'two orders have one id')
    must(ticks >= 1 && ticks <= MOST && open >= 1 && open <= MOST && filled <= MOST && flags < FLAGS && expires !== 0xffffffff && view.getUint32(at + 36, true) === 0, 'an order is out of range')
    const kind = conditionOf(flags)
    const hasMinimum = kind === condition.aggregate || kind === condition.perCounterparty
    must(hasMinimum ? minimum >= 1 && minimum <= MOST : minimum === 0, 'a minimum is out of range')
    into.add(into.pool.restore(id, account, ticks, open, filled, flags, minimum, expires))
  }
  if (into !== undefined) must(!crossed(into), 'its sides cross')
  return { state: state as MarketState, lowTicks, highTicks, orders }
}

/** Whether plain orders of both sides would trade. Conditional ones may rest at prices that cross. */
function crossed(resting: RestingOrders): boolean {
  const best = (which: 0 | 1): number => {
    let slot = resting.best(which)
    while (slot !== 0 && conditionOf(resting.pool.flags(slot)) !== condition.none) slot = resting.following(which, slot)
    return slot === 0 ? 0 : resting.pool.words[(slot << 4) + word.ticks]!
  }
  const bid = best(side.buy)
  const ask = best(side.sell)
  return bid !== 0 && ask !== 0 && bid >= ask
}
