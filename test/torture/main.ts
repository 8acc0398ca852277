// `npm run torture -- --minutes N --seed N [--cluster]`: a venue of one node or of three whose processes and actors are killed at random while traders trade, and afterwards every acknowledged
// order, every fill and every balance held against what the traders were told. Ends with code 1 where something is not as it was told.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Fault, main } from '../../scripts/setup/fault.ts'
import { setUp } from '../../scripts/setup/setup.ts'
import { Steps } from '../../scripts/setup/steps.ts'

await main(async () => {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' }, cluster: { type: 'boolean', default: false } } })
  if (!/^[0-9]{1,5}(\.[0-9]{1,3})?$/.test(values.minutes) || !/^[0-9]{1,9}$/.test(values.seed)) throw new Fault('usage: npm run torture -- [--minutes N] [--seed N] [--cluster]')
  await setUp(new Steps())
  const env = { ...process.env, TORTURE_MINUTES: values.minutes, TORTURE_SEED: values.seed }
  const run = spawn(process.execPath, [join(import.meta.dirname, values.cluster ? 'cluster.test.ts' : 'torture.test.ts')], { stdio: 'inherit', env })
  return new Promise<number>((resolve) => run.once('exit', (code) => resolve(code ?? 1)))
})
