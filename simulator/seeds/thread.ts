import { workerData } from 'piscina'
import { defects } from '../defects/defects.ts'
import { reportOf } from '../report.ts'
import { simulate } from '../simulation.ts'
import type { SeedReport, SeedRuns } from './seedReport.ts'

const { steps, defect: name } = workerData as SeedRuns
const defect = defects.find((candidate) => candidate.name === name)
if (name !== null && defect === undefined) throw new Error(`there is no defect ${name}`)

/** A task of the pool (seedThreads.ts): one seed. Journals are replayed in the same thread: every core has a seed of its own. */
export default async function run(seed: number): Promise<SeedReport> {
  const from = performance.now()
  const result = await simulate({ seed, steps, ...(defect === undefined ? {} : { defect }) })
  return { seed, text: reportOf(result, performance.now() - from, defect?.name), broken: result.violation !== null, commands: result.commands }
}
