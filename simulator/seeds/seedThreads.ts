import { Worker } from 'node:worker_threads'
import type { SeedReport, SeedRuns } from './seedReport.ts'

/** Reports that wait for one of an earlier seed at most, for each thread. */
const MOST_AHEAD = 16

/**
 * Runs seeds in several threads at once. A report comes when those of all seeds before it have come: what is told does not depend on which
 * thread was faster.
 */
export async function* runSeeds(first: number, seeds: number, runs: SeedRuns, threads: number): AsyncGenerator<SeedReport> {
  const ready = new Map<number, SeedReport>()
  const idle: Worker[] = []
  let [next, awaited] = [first, first]
  let wake = (): void => undefined
  let failed: Error | null = null
  const fail = (error: Error): void => {
    failed ??= error
    wake()
  }
  const workers = Array.from({ length: Math.min(threads, seeds) }, (_, number) => {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { name: `seeds ${number + 1}`, workerData: runs })
    worker.on('message', (report: SeedReport) => {
      ready.set(report.seed, report)
      idle.push(worker)
      wake()
    })
    worker.on('error', (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))))
    worker.on('exit', () => fail(new Error('a thread that runs seeds has ended')))
    return worker
  })
  idle.push(...workers)
  try {
    while (awaited < first + seeds) {
      while (next < first + seeds && next - awaited < MOST_AHEAD * workers.length) {
        const worker = idle.pop()
        if (worker === undefined) break
        worker.postMessage(next++)
      }
      const report = ready.get(awaited)
      if (report !== undefined) {
        ready.delete(awaited++)
        yield report
        continue
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      if (failed !== null) throw failed as Error
      await promise
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}
