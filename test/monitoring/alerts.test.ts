import { parser } from '@prometheus-io/lezer-promql'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { USAGE } from '../../src/cli/usage.ts'
import { catalogue } from '../../src/monitoring/catalogue.ts'
import type { MetricDefinition } from '../../src/monitoring/catalogue.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = join(root, 'docs', 'operations', 'alerts')
const read = (...path: readonly string[]): string => readFileSync(join(root, ...path), 'utf8')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

const { groups } = parse(read('deploy', 'monitoring', 'alerts.yaml')) as { groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)
const metrics: Readonly<Record<string, MetricDefinition>> = catalogue

/** What an expression reads: metrics, and the labels that it asks for. @throws Error where it is not PromQL */
function reads(expression: string): { readonly metrics: readonly string[]; readonly labels: readonly string[] } {
  const [names, labels]: [string[], string[]] = [[], []]
  parser.parse(expression).iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError) throw new Error(`not PromQL at ${from}: ${expression}`)
      if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector') names.push(expression.slice(from, to))
      if (type.name === 'LabelName') labels.push(expression.slice(from, to))
    },
  })
  if (names.length === 0) throw new Error(`it reads no metric: ${expression}`)
  return { metrics: names, labels }
}

/** The metric of the catalogue that a series belongs to. `up` is Prometheus' own. */
function metricOf(series: string): MetricDefinition | undefined {
  if (series in metrics) return metrics[series]!.type === 'histogram' ? undefined : metrics[series]
  const [, name, suffix] = /^(.*)_(bucket|sum|count)$/.exec(series) ?? []
  const metric = name === undefined ? undefined : metrics[name]
  return suffix !== undefined && metric?.type === 'histogram' ? metric : undefined
}

const known = (expression: string): readonly string[] => {
  const { metrics: names, labels } = reads(expression)
  const faults = names.filter((name) => name !== 'up' && metricOf(name) === undefined)
  const wanted = new Set(['job', 'instance', 'le', ...names.flatMap((name) => metricOf(name)?.labels ?? [])])
  return [...faults, ...labels.filter((label) => !wanted.has(label)).map((label) => `label ${label}`)]
}

t.test('what is no expression, and metrics and labels that do not exist, are found out', async (t) => {
  t.throws(() => reads('sum(rate(darkpool_orders_total[5m])'), /not PromQL/)
  t.throws(() => reads('1 > 0'), /reads no metric/)
  t.same(known('darkpool_order_total > darkpool_orders_total'), ['darkpool_order_total'])
  t.same(known('darkpool_actor_commit_seconds > 1'), ['darkpool_actor_commit_seconds'], 'a histogram has no value of its own')
  t.same(known('darkpool_orders_total_bucket'), ['darkpool_orders_total_bucket'])
  t.same(known('sum by (account) (darkpool_orders_total{price="1"})'), ['label account', 'label price'])
})

t.test('each alert reads what there is, and is complete', async (t) => {
  t.ok(rules.length >= 20)
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  for (const { alert, expr, labels, annotations, for: wait } of rules) {
    t.same(known(expr), [], alert)
    t.match(labels.severity, /^(critical|warning)$/, alert)
    t.match(annotations.summary, /^\S.{10,}/, alert)
    if (wait !== undefined) t.match(wait, /^\d+[smh]$/, alert)
    for (const [, label] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) t.ok(['instance', 'actor', 'market'].includes(label!), `${alert}: ${label}`)
  }
})

t.test('each alert has its page, and each page its alert', async (t) => {
  const index = read('docs', 'operations', 'alerts', 'README.md')
  for (const { alert, expr, annotations, labels } of rules) {
    const text = read(annotations.runbook)
    t.match(text.split('\n')[0], `# ${alert}`)
    t.ok(text.includes(`\`${expr}\``), `the page of ${alert} says when it fires`)
    for (const heading of ['## What it means', '## How to see it', '## What to do']) t.ok(text.includes(`\n${heading}\n`), `${annotations.runbook}: ${heading}`)
    t.ok(index.includes(`| [${alert}](${annotations.runbook.replace('docs/operations/alerts/', '')}) | ${labels.severity} |`), `the index lists ${alert}`)
  }
  const paged = rules.map(({ annotations }) => annotations.runbook)
  t.same(readdirSync(pages).filter((file) => file !== 'README.md').map((file) => `docs/operations/alerts/${file}`).sort(), paged.sort())
})

t.test('what an operator may have to fear has an alert: a full disk, a dead RPC, a dead NATS, an expired certificate, a clock that jumps, fees that run out', async (t) => {
  const names = rules.map(({ alert }) => alert)
  for (const alert of ['DarkpoolJournalStalled', 'DarkpoolDiskFilling', 'DarkpoolRpcDown', 'DarkpoolNatsDisconnected', 'DarkpoolCertificateExpires', 'DarkpoolClockJump', 'DarkpoolFeesLow']) t.ok(names.includes(alert), alert)
})

t.test('what the pages name is there: commands, metrics, tests, other pages', async (t) => {
  for (const file of readdirSync(pages)) {
    const text = read('docs', 'operations', 'alerts', file)
    for (const [, command] of text.matchAll(/npx darkpool ([a-z-]+(?: (?:move|free|verify|queue)\b)?)/g)) t.match(USAGE, new RegExp(`\\n  darkpool ${command}\\b`), `${file}: darkpool ${command}`)
    for (const [, name] of text.matchAll(/`(darkpool_\w+)`/g)) t.ok(name! in metrics, `${file}: ${name}`)
    for (const [path] of text.matchAll(/\b(?:test|src|deploy)\/[\w./-]*\w/g)) t.ok(existsSync(join(root, path)), `${file}: ${path}`)
    for (const [, link] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) t.ok(existsSync(join(dirname(join(pages, file)), link!)), `${file}: ${link}`)
  }
})

interface Panel {
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

t.test('the dashboard shows each metric, each panel with its unit, and nothing that is not there', async (t) => {
  const { panels } = JSON.parse(read('deploy', 'monitoring', 'dashboard.json')) as { panels: readonly Panel[] }
  const shown = new Set<string>()
  const places = new Set<string>()
  for (const { title, type, gridPos, fieldConfig, targets = [] } of panels) {
    const place = `${gridPos.x} ${gridPos.y}`
    t.notOk(places.has(place), `${title} stands alone`)
    places.add(place)
    t.ok(gridPos.x + gridPos.w <= 24, title)
    if (type === 'row') continue
    t.ok(fieldConfig?.defaults.unit, `${title} has a unit`)
    t.ok(targets.length > 0, title)
    for (const { expr } of targets) {
      // Grafana's own variable.
      const expression = expr.replaceAll('$__rate_interval', '1m')
      t.same(known(expression), [], title)
      for (const name of reads(expression).metrics) shown.add(name in metrics ? name : name.replace(/_(bucket|sum|count)$/, ''))
    }
  }
  t.same([...shown].sort(), Object.keys(metrics).sort())
})
