import assert from 'node:assert/strict'
import type { Matching } from './matching.ts'
import { conditionOf, isConditional, sideOf, word } from './orderPool.ts'
import type { RestingOrders } from './resting.ts'
import { NONE } from './queues.ts'
import { condition, marketState, side } from './terms.ts'
import type { MarketState } from './terms.ts'

/** Asserts that everything that finds an order finds the same orders, in order, and that nothing is left that could trade. */
export function checkBook(resting: RestingOrders, matching: Matching, state: MarketState): void {
  const { pool, accounts, expiries } = resting
  const { words } = pool
  const all = new Set<number>()
  const ids = new Set<number>()
  const byAccount = new Map<number, number>()
  const expiring = new Set<number>()
  const best = [0, 0]
  for (const which of [side.buy, side.sell]) {
    const waiting: number[] = []
    let before = 0
    for (let slot = resting.best(which); slot !== 0; slot = resting.following(which, slot)) {
      assert(slot >= 1 && slot <= pool.used, 'a slot is of the pool')
      assert(!all.has(slot), 'an order stands in one place')
      all.add(slot)
      ids.add(pool.id(slot))
      const flags = pool.flags(slot)
      assert(sideOf(flags) === which, 'an order stands on its side')
      assert(words[(slot << 4) + word.open]! >= 1, 'an order that rests has something open')
      assert(resting.find(pool.id(slot)) === slot, 'the table of ids finds what rests')
      const ticks = words[(slot << 4) + word.ticks]!
      if (before !== 0) {
        const previous = words[(before << 4) + word.ticks]!
        assert(which === side.buy ? previous >= ticks : previous <= ticks, 'better prices come first')
        assert(previous !== ticks || pool.rank(before) < pool.rank(slot), 'at one price, who came first comes first')
      }
      if (isConditional(flags)) waiting.push(slot)
      else if (best[which] === 0) best[which] = ticks
      const account = words[(slot << 4) + word.account]!
      byAccount.set(account, (byAccount.get(account) ?? 0) + 1)
      if (words[(slot << 4) + word.expires] !== 0) expiring.add(slot)
      before = slot
    }
    const listed = resting.waiting(which)
    assert.deepEqual(waiting, Array.from({ length: listed.size }, (_, i) => listed.slot(i)), 'the waiting orders are the conditional ones, by priority')
  }
  assert(all.size === resting.size && ids.size === all.size, 'the table of ids has what rests')
  const [bid, ask] = best as [number, number]
  assert(bid === 0 || ask === 0 || bid < ask, 'plain orders do not cross')

  assert(byAccount.size === accounts.size, 'accounts with orders are counted')
  for (const [account, count] of byAccount) {
    assert(accounts.count(account) === count, 'the orders of an account are counted')
    const head = accounts.head(account)
    let seen = 0
    let slot = head
    do {
      assert(all.has(slot) && words[(slot << 4) + word.account] === account, 'an account leads to its own resting orders')
      seen++
      slot = words[(slot << 4) + word.accountNext]!
    } while (slot !== head && seen <= count)
    assert(seen === count, 'an account leads to all its orders')
  }
  for (let key = expiries.first; key !== NONE; key = expiries.after(key)) {
    const head = expiries.head(key)
    let slot = head
    do {
      assert(expiring.delete(slot) && words[(slot << 4) + word.expires] === key, 'an order expires once, in its second')
      slot = words[(slot << 4) + word.expiryNext]!
    } while (slot !== head)
  }
  assert(expiring.size === 0, 'every order that expires is found by its second')
  if (state === marketState.open) for (const which of [side.buy, side.sell]) noneCould(resting, matching, which)
}

function noneCould(resting: RestingOrders, matching: Matching, which: 0 | 1): void {
  const { pool } = resting
  const waiting = resting.waiting(which)
  for (let i = 0; i < waiting.size; i++) {
    const slot = waiting.slot(i)
    const open = pool.words[(slot << 4) + word.open]!
    const kind = conditionOf(pool.flags(slot))
    const enough = kind === condition.allOrNone ? open : kind === condition.aggregate ? Math.min(pool.minimum(slot), open) : 1
    assert(matching.fillable(slot, enough, false) < enough, 'no order waits that could trade')
  }
}
