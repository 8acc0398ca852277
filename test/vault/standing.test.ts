import t from 'tap'
import type { Standing } from '../../src/protocol/vault.ts'
import { account, assetQ } from '../pair/smallVenue.ts'
import { openVault } from './openVault.ts'

const [ann, ben] = [account('ANN'), account('BEN')]
const standingOf = (vault: ReturnType<typeof openVault>, id = ann, orders = true, balances = true) =>
  (vault.machine.query({ kind: 'standing', account: id, orders, balances }) as { ok: Standing }).ok

t.test('where an account stands carries the number of its feed, and all of its orders, oldest first', async (t) => {
  const vault = openVault()
  t.match(standingOf(vault), { fed: 0, orders: [] }, 'nobody knows it yet')
  vault.deposit(ann, assetQ, 1_000_000n)
  t.equal(standingOf(vault).fed, 1)
  t.match(standingOf(vault).balances.find(({ asset }) => asset === assetQ), { settled: 1_000_000n, available: 1_000_000n })
  vault.deposit(ben, assetQ, 5n)
  t.equal(standingOf(vault).fed, 1, 'of its own feed')
  // More than a list answers with.
  const names = Array.from({ length: 1_100 }, (_, n) => `o${n}`)
  for (const name of names) t.equal(vault.place(name, ann, 'buy', 1, 1), null)
  const { orders, fed } = standingOf(vault)
  t.equal(orders.length, names.length)
  t.strictSame([orders[0]!.created <= orders.at(-1)!.created, new Set(orders.map(({ status }) => status))], [true, new Set(['pending'])])
  t.equal(fed, 1, 'an order on its way has no message yet')
  t.strictSame(standingOf(vault, ann, false, false), { fed, orders: [], balances: [] })
  t.strictSame(standingOf(vault, ben).orders, [])
})
