import { Piscina } from 'piscina'
import type { SeedReport, SeedRuns } from './seedReport.ts'

/** Runs that are begun or wait behind the first whose report is missing, for each thread. */
const MOST_AHEAD = 16

/**
 * Runs seeds in several threads at once. A report comes when those of all seeds before it have come: what is told does not depend on which
 * thread was faster.
 */
export async function* runSeeds(first: number, seeds: number, runs: SeedRuns, threads: number): AsyncGenerator<SeedReport> {
  const size = Math.min(threads, seeds)
  const pool = new Piscina<number, SeedReport>({ filename: new URL('./thread.ts', import.meta.url).href, workerData: runs, minThreads: size, maxThreads: size, idleTimeout: Infinity })
  const reports: Promise<SeedReport>[] = []
  let next = first
  try {
    for (;;) {
      while (next < first + seeds && reports.length < MOST_AHEAD * size) {
        const report = pool.run(next++)
        // Whoever comes to it hears of it; before that nobody does.
        report.catch(() => undefined)
        reports.push(report)
      }
      const report = reports.shift()
      if (report === undefined) return
      yield await report
    }
  } finally {
    await pool.destroy()
  }
}
