import t from 'tap'
import { bookNumber, NamedOrders, partitionOf } from '../../src/actors/pair/names.ts'
import type { NamedOrder } from '../../src/actors/pair/names.ts'
import type { Amount, Lots, Milliseconds, OrderId, Ticks } from '../../src/protocol/identity.ts'
import { vaultActor } from '../../src/protocol/subjects.ts'
import { account } from './smallVenue.ts'

const order = (id: string, owner: string): NamedOrder => ({
  id: id as OrderId, account: account(owner), signer: null, handle: 0, vault: vaultActor(0), created: 0 as Milliseconds, ticks: 1 as Ticks, lots: 1 as Lots, filledLots: 0 as Lots, filledQuote: 0n as Amount, rested: false, reason: null,
})

t.test('an order has one number in the book: its vault actor’s number and partition', async (t) => {
  t.equal(bookNumber(1, 0), 64)
  t.equal(bookNumber(1, 63), 127)
  t.equal(partitionOf(bookNumber(2 ** 47 - 1, 63)), 63)
  t.ok(Number.isSafeInteger(bookNumber(2 ** 47 - 1, 63)))
  for (const [number, partition] of [[0, 0], [2 ** 47, 0], [1.5, 0], [1, 64], [1, -1], [NaN, 0]] as const) t.throws(() => bookNumber(number, partition))
})

t.test('an account without orders gives its number back, so that numbers are as few as accounts that have some', async (t) => {
  const names = new NamedOrders()
  t.equal(names.add(64, order('a', 'ANN')).handle, 0)
  t.equal(names.add(128, order('b', 'BEN')).handle, 1)
  t.equal(names.add(192, order('c', 'ANN')).handle, 0)
  names.drop(64)
  t.equal(names.handleOf(account('ANN')), 0, 'it has one left')
  names.drop(192)
  t.equal(names.handleOf(account('ANN')), undefined)
  t.throws(() => names.accountOf(0))
  for (let n = 0; n < 1_000; n++) {
    t.equal(names.add(256, order(`d${n}`, `D${n}`)).handle, 0)
    names.drop(256)
  }
  t.strictSame(names.accounts(), [account('BEN')])
  t.equal(names.accountOf(1), account('BEN'))
})
