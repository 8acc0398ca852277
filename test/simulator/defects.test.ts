import t from 'tap'
import { defects } from '../../simulator/defects/defects.ts'
import { simulate } from '../../simulator/simulation.ts'
import { STEPS } from './seeds.ts'

t.setTimeout(600_000)

/** Seeds that a mistake may go unnoticed at most. The same seeds without it are silent (firstSeeds.test.ts). */
const MOST_SEEDS = 20

t.ok(defects.length >= 10)
for (const defect of defects) {
  t.test(`found: ${defect.name}. ${defect.what}`, async (t) => {
    for (let seed = 1; seed <= MOST_SEEDS; seed++) {
      const { violation, step } = await simulate({ seed, steps: STEPS, defect })
      if (violation === null) continue
      t.comment(`seed ${seed}, step ${step}: ${violation.message}`)
      return defect.foundBy === undefined ? t.pass() : t.equal(violation.rule, defect.foundBy)
    }
    return t.fail(`not found by ${MOST_SEEDS} seeds`)
  })
}
