import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { paths } from '../../scripts/setup/paths.ts'
import { defects } from '../../simulator/defects/defects.ts'
import { calm } from '../../simulator/faults.ts'
import type { Replaying } from '../../simulator/replaying/comparison.ts'
import { ReplayThread } from '../../simulator/replaying/replayThread.ts'
import { reportOf } from '../../simulator/report.ts'
import { simulate } from '../../simulator/simulation.ts'
import { STEPS } from './seeds.ts'

t.setTimeout(600_000)

const run = promisify(execFile)
const main = join(paths.root, 'simulator', 'main.ts')

t.test('one seed is one run, whatever ran before it in the process', async (t) => {
  const hashes = new Set<string>()
  for (const seed of [7, 8, 9]) {
    const [first, second] = [await simulate({ seed, steps: STEPS }), await simulate({ seed, steps: STEPS })]
    t.equal(second.hash, first.hash)
    t.equal(second.step, first.step)
    t.equal(second.commands, first.commands)
    t.same(second.last, first.last)
    hashes.add(first.hash)
  }
  t.equal(hashes.size, 3, 'and another seed another run')
})

t.test('and in any process and thread, of many seeds too, which are told of in their order', async (t) => {
  const { stdout } = await run(process.execPath, [main, '--seed', '11', '--seeds', '3', '--threads', '2', '--steps', String(STEPS)])
  let at = 0
  let applied = 0
  for (const seed of [11, 12, 13]) {
    const { hash, step, commands } = await simulate({ seed, steps: STEPS })
    applied += commands
    const told = stdout.indexOf(`seed ${seed}: ${step.toLocaleString('en-US')} steps`)
    t.ok(told >= at, `seed ${seed}`)
    t.ok(stdout.indexOf(`trace ${hash}`) > told)
    at = told
  }
  t.match(stdout, `3 seeds, every rule holds: ${applied.toLocaleString('en-US')} commands applied`)
})

t.test('a seed that fails says how to see it again, and fails in the same step', async (t) => {
  const defect = defects.find(({ name }) => name === 'ids-forgotten')
  if (defect === undefined) throw new Error('no such defect')
  const found = await firstFound(defect)
  const report = reportOf(found, 1, defect.name)
  const command = /npm run simulate -- (.*)$/m.exec(report)?.[1]
  t.ok(command, 'the command is in the report')
  const again = await run(process.execPath, [main, ...(command ?? '').split(' ')]).catch((error: unknown) => error as { code: number; stdout: string })
  t.equal('code' in again ? again.code : 0, 1, 'its exit code says so')
  t.match(again.stdout, `seed ${found.seed} breaks a rule in step ${found.step.toLocaleString('en-US')}`)
  t.match(again.stdout, found.violation?.message ?? 'no violation')
  t.match(again.stdout, `trace ${found.hash}`)
  for (const line of found.last.slice(-5)) t.ok(again.stdout.includes(line), 'with the same last events')

  const many = await run(process.execPath, [main, '--seed', String(found.seed), '--seeds', '3', '--threads', '2', '--steps', String(STEPS), '--defect', defect.name]).catch((error: unknown) => error as { code: number; stdout: string })
  t.equal('code' in many ? many.code : 0, 1, 'among other seeds too')
  t.match(many.stdout, `seed ${found.seed} breaks a rule in step ${found.step.toLocaleString('en-US')}`)
  t.notMatch(many.stdout, `seed ${found.seed + 1}`, 'nothing is told of those behind it')
})

t.test('journals that are replayed in a thread beside, or answered for late, lead to the same end in the same step', async (t) => {
  const thread = new ReplayThread()
  t.teardown(() => thread.end())
  // Answers when the simulation has gone far on, or waits because too many answers are missing.
  const late: Replaying = {
    begin: (run) => {
      const comparer = thread.begin(run)
      return { compare: async (comparison) => (await setTimeout(500), comparer.compare(comparison)) }
    },
  }
  const defect = defects.find(({ name }) => name === 'own-clock')
  if (defect === undefined) throw new Error('no such defect')
  const rules: (string | undefined)[] = []
  for (const options of [{ seed: 12, steps: STEPS }, { seed: 12, steps: 6_000, defect, plan: calm }]) {
    const here = await simulate(options)
    rules.push(here.violation?.rule)
    for (const replays of [thread, late]) {
      const beside = await simulate({ ...options, replays })
      t.equal(beside.violation?.message, here.violation?.message)
      t.equal(beside.step, here.step)
      t.equal(beside.hash, here.hash)
      t.same(beside.faults, here.faults)
      t.same(beside.last, here.last)
    }
  }
  t.same(rules, [undefined, 'replay equals live'])
})

t.test('a thread that dies ends the run that it replays', async (t) => {
  const thread = new ReplayThread()
  const died = simulate({ seed: 12, steps: STEPS, replays: thread })
  await thread.end()
  await t.rejects(died, /thread/)
})

async function firstFound(defect: (typeof defects)[number]): ReturnType<typeof simulate> {
  for (let seed = 1; ; seed++) {
    const result = await simulate({ seed, steps: STEPS, defect })
    if (result.violation !== null) return result
    if (seed > 20) throw new Error('not found')
  }
}

t.test('it says what it cannot read', async (t) => {
  for (const args of [['--seed', 'x'], ['--steps', '-1'], ['--defect', 'none'], ['--seeds', '0'], ['--threads', '0'], ['--what']]) {
    const refused = await run(process.execPath, [main, ...args]).catch((error: unknown) => error as { code: number; stderr: string })
    t.equal('code' in refused ? refused.code : 0, 2)
    t.match(refused.stderr, /usage: npm run simulate/)
  }
})
