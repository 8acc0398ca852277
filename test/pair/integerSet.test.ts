import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { IntegerSet } from '../../src/actors/integerSet.ts'

const member = fc.oneof(fc.nat(70), fc.constantFrom(1_023, 1_024, 1_025, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }))

t.test('it answers like a sorted array', async () => {
  fc.assert(
    fc.property(fc.array(fc.record({ add: fc.boolean(), member, bound: member }), { maxLength: 200, size: 'max' }), (steps) => {
      const set = new IntegerSet()
      const members = new Set<number>()
      for (const { add, member, bound } of steps) {
        if (add) {
          set.add(member)
          members.add(member)
        } else {
          set.delete(member)
          members.delete(member)
        }
        const sorted = [...members].sort((a, b) => a - b)
        assert.equal(set.first, sorted[0])
        assert.equal(set.last, sorted.at(-1))
        assert.equal(set.after(bound), sorted.find((value) => value > bound))
        assert.equal(set.before(bound), sorted.findLast((value) => value < bound))
      }
    }),
    { numRuns: 300 },
  )
})

t.test('the tree depends on its members alone', async () => {
  fc.assert(
    fc.property(fc.uniqueArray(member), fc.uniqueArray(member), (kept, passing) => {
      const direct = new IntegerSet()
      for (const value of kept) direct.add(value)
      const roundabout = new IntegerSet()
      for (const value of [...passing, ...kept].reverse()) roundabout.add(value)
      for (const value of passing) if (!kept.includes(value)) roundabout.delete(value)
      const walk = (set: IntegerSet): number[] => {
        const found: number[] = []
        for (let value = set.first; value !== undefined; value = set.after(value)) found.push(value)
        return found
      }
      assert.deepEqual(walk(roundabout), walk(direct))
    }),
  )
})
