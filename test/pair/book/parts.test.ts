import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Accounts } from '../../../src/actors/pair/book/accounts.ts'
import { BitTree } from '../../../src/actors/pair/book/bitTree.ts'
import { assertExact, feeOf, feeOn } from '../../../src/actors/pair/book/fees.ts'
import { Gathering } from '../../../src/actors/pair/book/gathering.ts'
import { IdTable } from '../../../src/actors/pair/book/idTable.ts'
import { OrderPool, word } from '../../../src/actors/pair/book/orderPool.ts'
import { NONE, Queues } from '../../../src/actors/pair/book/queues.ts'
import type { NewOrder } from '../../../src/actors/pair/book/terms.ts'
import { landscapes } from './randomCommands.ts'

const plain: NewOrder = {
  id: 1, account: 0, side: 0, ticks: 1, lots: 1, budget: 0, timeInForce: 0, postOnly: false, condition: 0, minimum: 0, returnRemainder: false, selfTrade: 0, expires: 0,
}

t.test('a bit tree tells the next member after any number', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 70_000 }), fc.array(fc.nat()), fc.array(fc.nat()), (size, added, asked) => {
      const tree = new BitTree(size)
      const members = new Set(added.map((n) => n % size))
      for (const member of members) tree.add(member)
      for (const [place, member] of [...members].entries()) {
        if (place % 3 !== 0) continue
        tree.delete(member)
        members.delete(member)
      }
      const sorted = [...members].sort((a, b) => a - b)
      for (const bound of [-1, ...asked.map((n) => n % size), ...sorted]) assert.equal(tree.after(bound), sorted.find((n) => n > bound) ?? -1)
    }),
  )
})

const key = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 32_000, max: 33_000 }), fc.integer({ min: 0, max: 0xfffffffe }))

t.test('queues: first come, first served under each key, keys in order, however far apart and whichever way they empty', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.nat()), { minLength: 1, maxLength: 300, size: 'max' }), (steps) => {
      const pool = new OrderPool(1_000)
      const queues = new Queues(pool, 0xffffffff, word.expiryNext, word.expiryPrevious)
      const model = new Map<number, number[]>()
      const where = new Map<number, number>()
      for (const [at, pick] of steps) {
        const known = [...where.keys()]
        if (pick % 3 === 0 && known.length > 0) {
          const slot = known[pick % known.length]!
          const from = where.get(slot)!
          queues.remove(from | 0, slot)
          const queue = model.get(from)!.filter((other) => other !== slot)
          if (queue.length === 0) model.delete(from)
          else model.set(from, queue)
          where.delete(slot)
        } else {
          const slot = pool.take({ ...plain, id: known.length + 1 })
          queues.append(at | 0, slot)
          model.set(at, [...(model.get(at) ?? []), slot])
          where.set(slot, at)
        }
        const keys = [...model.keys()].sort((a, b) => a - b)
        assert.equal(queues.first >>> 0, keys[0] ?? NONE >>> 0)
        assert.equal(queues.after(at | 0) >>> 0, keys.find((other) => other > at) ?? NONE >>> 0)
        const head = queues.head(at | 0)
        const ring: number[] = []
        for (let slot = head; slot !== 0 && !ring.includes(slot); slot = pool.words[(slot << 4) + word.expiryNext]!) ring.push(slot)
        assert.deepEqual(ring, model.get(at) ?? [])
      }
      // Keys walked from the first to the last.
      const walked: number[] = []
      for (let next = queues.first; next !== NONE; next = queues.after(next)) walked.push(next >>> 0)
      assert.deepEqual(walked, [...model.keys()].sort((a, b) => a - b))
    }),
    { numRuns: 200 },
  )
})

t.test('ids and accounts find what is there and nothing else, while they grow and shrink', async () => {
  const id = fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 2 ** 47 }).map((n) => n * 64), fc.maxSafeInteger().filter((n) => n > 0))
  fc.assert(
    fc.property(fc.array(fc.tuple(id, fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 0xffffffff })), fc.boolean()), { minLength: 500, maxLength: 2_500, size: 'max' }), (steps) => {
      const pool = new OrderPool(10_000)
      const ids = new IdTable(pool)
      const accounts = new Accounts(pool)
      const slots = new Map<number, { slot: number; account: number }>()
      const counts = new Map<number, number>()
      for (const [number, account, remove] of steps) {
        const known = slots.get(number)
        assert.equal(ids.find(number), known?.slot ?? 0)
        if (known === undefined) {
          const slot = pool.take({ ...plain, id: number, account })
          ids.add(slot)
          accounts.add(account | 0, slot)
          slots.set(number, { slot, account })
          counts.set(account, (counts.get(account) ?? 0) + 1)
        } else if (remove) {
          ids.remove(known.slot)
          accounts.remove(known.account | 0, known.slot)
          pool.give(known.slot)
          slots.delete(number)
          counts.set(known.account, counts.get(known.account)! - 1)
        }
        assert.equal(accounts.count(account), counts.get(account) ?? 0)
      }
      assert.equal(ids.size, slots.size)
      for (const [number, { slot }] of slots) assert.equal(ids.find(number), slot)
      assert.equal(accounts.size, [...counts.values()].filter((count) => count > 0).length)
    }),
    { numRuns: 30 },
  )
})

t.test('what is gathered is sorted by rank', async () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.maxSafeInteger(), { maxLength: 200 }), (ranks) => {
      const pool = new OrderPool(1_000)
      const gathering = new Gathering(pool)
      for (const rank of ranks) {
        const slot = pool.take(plain)
        pool.setRank(slot, rank)
        gathering.add(slot)
      }
      gathering.sort()
      assert.deepEqual(Array.from({ length: gathering.size }, (_, i) => pool.rank(gathering.slot(i))), [...ranks].sort((a, b) => a - b))
    }),
  )
})

t.test('a fee is the exact product, rounded up', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger().filter((n) => n >= 0), fc.nat(1_000).map((n) => n * 1_000_000), fc.nat(9_000).map((n) => n * 1_000_000_000_000 - 1).filter((n) => n > 0)), fc.integer({ min: 0, max: 1_000_000 }), (amount, rate) => {
      assert.equal(BigInt(feeOf(amount, rate)), (BigInt(amount) * BigInt(rate) + 999_999n) / 1_000_000n)
    }),
    { numRuns: 5_000 },
  )
  fc.assert(
    fc.property(fc.maxSafeInteger().map(Math.abs), fc.oneof(fc.nat(1_000), fc.maxSafeInteger().map(Math.abs)), fc.integer({ min: 0, max: 1_000_000 }), (count, size, rate) => {
      const exact = (BigInt(count) * BigInt(size) * BigInt(rate) + 999_999n) / 1_000_000n
      assert.equal(feeOn(count, size, rate), Number(exact))
    }),
    { numRuns: 2_000 },
  )
  const { rules } = landscapes[0]!
  const fees = { maker_ppm: 0, taker_ppm: 0, lotSize: 1, tickSize: 1 }
  t.throws(() => assertExact({ ...rules, maxLots: 2 ** 31 - 1 }, { ...fees, lotSize: 2 ** 30 }), /base units is below/)
  t.throws(() => assertExact({ ...rules, maxValue: 2 ** 50 }, { ...fees, tickSize: 16 }), /quote units is below/)
  t.throws(() => assertExact(rules, { ...fees, taker_ppm: 1_000_001 }), /ppm/)
})
