import t from 'tap'
import { runSeeds } from './seeds.ts'

t.setTimeout(600_000)

t.test('seeds 111 to 220: no rule is broken, and every venue comes to rest', async (t) => {
  t.equal((await runSeeds(111, 220)).length, 110)
})
