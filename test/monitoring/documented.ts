import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PAGE = fileURLToPath(new URL('../../docs/operations/metrics.md', import.meta.url))

export interface DocumentedMetric {
  readonly name: string
  readonly type: string
  readonly unit: string
  readonly labels: readonly string[]
  readonly help: string
}

/** The metrics that docs/operations/metrics.md lists. */
export function documentedMetrics(): readonly DocumentedMetric[] {
  const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| `(darkpool_[a-z0-9_]+)` \| (\w+) \| ([^|]+) \| ([^|]*) \| ([^|]+) \|$/gm)
  return [...rows].map(([, name, type, unit, labels, help]) => ({
    name: name!,
    type: type!,
    unit: unit!.trim(),
    labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
    help: help!.trim(),
  }))
}
