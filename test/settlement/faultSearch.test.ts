import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Milliseconds } from '../../src/protocol/identity.ts'
import { findFault } from '../../src/settlement/faultSearch.ts'
import type { QueuedTrade } from '../../src/settlement/tradeQueue.ts'
import { accountOf, trade } from './trades.ts'

const ACCOUNTS = 4
const transfers = fc.array(fc.record({ buyer: fc.nat(ACCOUNTS - 1), seller: fc.nat(ACCOUNTS - 1), base: fc.bigInt({ min: 1n, max: 9n }) }), { minLength: 1, maxLength: 60 })

/** A chain in one asset that everybody has a little of: it takes a batch that leaves nobody below zero. */
function takenBy(funds: readonly bigint[], trades: readonly QueuedTrade[]): boolean {
  const balances = [...funds]
  const holder = (account: string): number => [0, 1, 2, 3].find((n) => accountOf(n) === account) as number
  for (const { trade: { buyer, seller, base } } of trades) {
    balances[holder(seller)]! -= base
    balances[holder(buyer)]! += base
  }
  return balances.every((balance) => balance >= 0n)
}

t.test('whatever is at fault: what is left is taken, each that is set aside was not, and few questions find them', async () => {
  await fc.assert(
    fc.asyncProperty(transfers, fc.array(fc.bigInt({ min: 0n, max: 30n }), { minLength: ACCOUNTS, maxLength: ACCOUNTS }), async (moves, funds) => {
      const queued = moves.map((move, n): QueuedTrade => ({ trade: trade(n, { ...move, quote: 1n }), arrived: 0 as Milliseconds }))
      fc.pre(!takenBy(funds, queued))
      let questions = 0
      const fault = await findFault(queued, async (trades) => {
        assert.ok(trades.length > 0, 'a batch has at least one trade')
        questions++
        return takenBy(funds, trades)
      })
      assert.ok(fault !== null && fault.aside.length > 0)
      const { aside, takes } = fault
      const left = queued.filter((_trade, place) => !aside.includes(place))
      assert.ok(takes === 0 || takenBy(funds, left.slice(0, takes)))
      assert.ok(takes === left.length || aside.length === 16, 'all others are taken, or there were too many at fault')
      assert.deepEqual(aside, aside.toSorted((a, b) => a - b))
      for (const place of aside) {
        const before = queued.filter((_trade, earlier) => earlier < place && !aside.includes(earlier))
        assert.ok(!takenBy(funds, [...before, queued[place] as QueuedTrade]), 'with all that was taken before it, it was not')
      }
      assert.ok(questions <= aside.length * (Math.ceil(Math.log2(queued.length)) + 1))
    }),
    { numRuns: 500 },
  )
})

t.test('where the chain cannot say, nothing is set aside', async (t) => {
  const queued = [1, 2, 3].map((n): QueuedTrade => ({ trade: trade(n, { buyer: 0, seller: 1, base: 1n, quote: 1n }), arrived: 0 as Milliseconds }))
  t.equal(await findFault(queued, async () => null), null)
  await t.rejects(findFault(queued, () => Promise.reject(new Error('the RPC is down'))), /down/)
})
