import t from 'tap'
import { simulatePlacement } from '../../simulator/placing/simulatePlacement.ts'

t.setTimeout(300_000)

const SEEDS = 60

t.test(`seeds 1 to ${SEEDS}: whatever happens to nodes, leases and their store, each epoch has one owner, and everything comes to its place and stays there`, async (t) => {
  const faults = new Map<string, number>()
  let [refused, owners] = [0, 0]
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await simulatePlacement(seed)
    if (result.violation !== null) throw new Error(`seed ${seed}: ${result.violation.message}`)
    for (const [what, times] of result.faults) faults.set(what, (faults.get(what) ?? 0) + times)
    refused += result.refused
    owners += result.owners
  }
  t.comment(JSON.stringify([...faults]), `${owners} owners, ${refused} refused`)
  for (const what of ['dies', 'dies at a call', 'is held up', 'leaves', 'is started twice', 'is pinned', 'bucket is away']) t.ok((faults.get(what) ?? 0) > 20, what)
  t.ok(refused > 20, 'owners that were replaced and did not know it')
  t.ok(owners > 10 * SEEDS)
})

t.test('one seed is one run', async (t) => {
  const [first, second, other] = [await simulatePlacement(7), await simulatePlacement(7), await simulatePlacement(8)]
  t.equal(second.hash, first.hash)
  t.equal(second.rested_ms, first.rested_ms)
  t.not(other.hash, first.hash)
})

t.test('found: an owner that believes its lease instead of the log', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { violation } = await simulatePlacement(seed, true)
    if (violation === null) continue
    t.equal(violation.rule, 'one owner per epoch')
    return
  }
  t.fail('not found by 20 seeds')
})
