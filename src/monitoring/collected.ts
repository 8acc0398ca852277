import { Meters } from './meters.ts'
import type { Readings } from './meters.ts'

/** One process of a venue, by its name among all of them, and what its threads have to show: null where it has not answered. */
export interface Asked {
  readonly instance: string
  readonly readings: readonly Readings[] | null
}

/** What a reading is here: more of it matters to whoever makes the page. */
interface Metric {
  readonly name: string
  readonly values: readonly { readonly labels: Readonly<Record<string, string | number>> }[]
}

/** The job under which a venue's processes are scraped (docs/operations/metrics.md): alerts and dashboard go by it. */
const job = 'darkpool'

/** Readings of many processes, to be shown on one page: each value says besides whose it is, and each process whether it has answered. */
export async function collected(processes: readonly Asked[]): Promise<readonly Readings[]> {
  const all = await Promise.all(
    processes.map(async ({ instance, readings }) => {
      const answered = readings !== null && readings.every(areMetrics)
      const meters = new Meters()
      meters.set('darkpool_collector_answered', answered ? 1 : 0)
      return [...(answered ? readings : []), await meters.read()].map((thread) => labelled(thread as readonly Metric[], instance))
    }),
  )
  return all.flat()
}

const labelled = (metrics: readonly Metric[], instance: string): readonly Metric[] =>
  metrics.map((metric) => ({ ...metric, values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, instance, job } })) }))

/** What comes from elsewhere may be of another version. */
const areMetrics = (readings: Readings): boolean => Array.isArray(readings) && readings.every((metric: Partial<Metric>) => typeof metric.name === 'string' && Array.isArray(metric.values))
