import { parentPort, workerData } from 'node:worker_threads'
import { defects } from '../defects/defects.ts'
import { reportOf } from '../report.ts'
import { simulate } from '../simulation.ts'
import type { SeedReport, SeedRuns } from './seedReport.ts'

// Runs one seed after another, as it is told (seedThreads.ts). Journals are replayed in the same thread: every core has a seed of its own.

const port = parentPort
if (port === null) throw new Error('this is a worker thread')
const { steps, defect: name } = workerData as SeedRuns
const defect = defects.find((candidate) => candidate.name === name)
if (name !== null && defect === undefined) throw new Error(`there is no defect ${name}`)

port.on('message', (seed: number) => void run(seed))

async function run(seed: number): Promise<void> {
  const from = performance.now()
  const result = await simulate({ seed, steps, ...(defect === undefined ? {} : { defect }) })
  port!.postMessage({ seed, text: reportOf(result, performance.now() - from, defect?.name), broken: result.violation !== null, commands: result.commands } satisfies SeedReport)
}
