import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { defects } from './defects/defects.ts'
import type { Defect } from './defects/defect.ts'
import { ReplayThread } from './replaying/replayThread.ts'
import { progressOf, reportOf, sumOf } from './report.ts'
import { runSeeds } from './seeds/seedThreads.ts'
import { simulate } from './simulation.ts'

// npm run simulate -- [--seed N] [--steps N] [--seeds N] [--threads N] [--defect NAME]
// Ends with 1 at the first run that breaks a rule, with 2 where it is called wrongly.

const USAGE = `usage: npm run simulate -- [--seed N] [--steps N] [--seeds N] [--threads N] [--defect NAME]
  --seed N       the first seed (default 1); everything in a run follows from it
  --steps N      events in which things go wrong (default 5,000); then the venue has to come to rest
  --seeds N      runs, of as many seeds in a row (default 1)
  --threads N    how many of them at once (default: one for each core)
  --defect NAME  with a mistake made on purpose: ${defects.map(({ name }) => name).join(', ')}
`
const PROGRESS_ms = 1_000

interface Call {
  readonly seed: number
  readonly steps: number
  readonly seeds: number
  readonly threads: number
  readonly defect: Defect | undefined
}

function usage(fault: string): never {
  process.stderr.write(`${fault}\n${USAGE}`)
  process.exit(2)
}

function readCall(): Call {
  const whole = (name: string, text: string, least: number): number => {
    const value = Number(text)
    return Number.isSafeInteger(value) && value >= least ? value : usage(`--${name} ${text}: a whole number from ${least} on`)
  }
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({ options: { seed: { ...text, default: '1' }, steps: { ...text, default: '5000' }, seeds: { ...text, default: '1' }, threads: { ...text, default: String(availableParallelism()) }, defect: text } })
    const defect = defects.find(({ name }) => name === values.defect)
    if (values.defect !== undefined && defect === undefined) usage(`there is no defect ${values.defect}`)
    return { seed: whole('seed', values.seed, 0), steps: whole('steps', values.steps, 0), seeds: whole('seeds', values.seeds, 1), threads: whole('threads', values.threads, 1), defect }
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error))
  }
}

/** One seed, with what it does on the way; its journals are replayed in a second thread. */
async function runOne({ seed, steps, defect }: Call): Promise<boolean> {
  const from = performance.now()
  let said = from
  const result = await simulate({
    seed,
    steps,
    replays: new ReplayThread(),
    ...(defect === undefined ? {} : { defect }),
    progress: (soFar) => {
      if (performance.now() - said < PROGRESS_ms) return
      said = performance.now()
      process.stdout.write(`${progressOf(soFar)}\n`)
    },
  })
  process.stdout.write(`${reportOf(result, performance.now() - from, defect?.name)}\n`)
  return result.violation === null
}

/** One after another, as far as a person can tell, until one breaks a rule. */
async function runMany({ seed: first, steps, seeds, threads, defect }: Call): Promise<boolean> {
  const from = performance.now()
  let commands = 0
  for await (const report of runSeeds(first, seeds, { steps, defect: defect?.name ?? null }, threads)) {
    process.stdout.write(`${report.text}\n`)
    if (report.broken) return false
    commands += report.commands
  }
  process.stdout.write(`${sumOf(seeds, commands, performance.now() - from)}\n`)
  return true
}

const call = readCall()
if (!(await (call.seeds === 1 ? runOne(call) : runMany(call)))) process.exit(1)
