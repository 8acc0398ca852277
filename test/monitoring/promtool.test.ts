import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '../../scripts/setup/command.ts'
import { paths } from '../../scripts/setup/paths.ts'
import { installPromtool, promtool } from '../../scripts/setup/promtool.ts'

t.setTimeout(300_000)
const folder = mkdtempSync(join(tmpdir(), 'darkpool-alerts-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const [rules, tests] = [join(paths.root, 'deploy', 'monitoring', 'alerts.yaml'), join(paths.root, 'test', 'monitoring', 'alertRules.yaml')]
const run = (...args: readonly string[]) => runCommand(promtool, args, { timeout_ms: 120_000 })

await installPromtool(() => undefined)

t.test('Prometheus takes the rules', async (t) => {
  const { code, output } = await run('check', 'rules', rules)
  t.equal(code, 0, output)
  t.match(output, /SUCCESS: [0-9]+ rules found/)
})

t.test('the alerts that matter most fire when they should, and not before, as Prometheus has it', async (t) => {
  const { code, output } = await run('test', 'rules', tests)
  t.equal(code, 0, output)
})

t.test('rules that wait longer, or mean the contrary, are found out', async (t) => {
  const text = readFileSync(rules, 'utf8')
  const wrong = text.replace('max by (actor) (darkpool_actor_heard) == 0\n        for: 30s', 'max by (actor) (darkpool_actor_heard) == 0\n        for: 3m').replace('darkpool_settlement_diverged == 1', 'darkpool_settlement_diverged == 0')
  writeFileSync(join(folder, 'alerts.yaml'), wrong)
  writeFileSync(join(folder, 'tests.yaml'), readFileSync(tests, 'utf8').replace('../../deploy/monitoring/', ''))
  const { code, output } = await run('test', 'rules', join(folder, 'tests.yaml'))
  t.equal(code, 1)
  for (const alert of ['DarkpoolActorNowhere', 'DarkpoolSettlementDiverged']) t.match(output, new RegExp(`alertname: ?${alert}`), alert)
})
