import t from 'tap'
import { runSeeds } from './seeds.ts'

t.setTimeout(600_000)

t.test('seeds 103 to 204: no rule is broken, and every venue comes to rest', async (t) => {
  t.equal((await runSeeds(103, 204)).length, 102)
})
