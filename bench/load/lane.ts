import { percentile } from '../percentile.ts'
import type { LoadResult } from './plan.ts'

/** A connection that carries one request at a time. */
export interface Lane {
  /** Sends request n; `answered` is called once. */
  send(n: number, answered: (taken: boolean) => void): void
  /** Called at most once, where the connection is of no use any more. */
  onBroken(call: (reason: Error) => void): void
  close(): void
}

/**
 * Sends requests 0 … count − 1 over the lanes and times each.
 * @param rate_s 0: as fast as the lanes go @param next gives a lane its next request, undefined when there is none
 */
export async function drive(lanes: readonly Lane[], count: number, rate_s: number, next: (lane: number) => number | undefined): Promise<LoadResult> {
  const latencies = new Float64Array(count)
  let refused = 0
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const converse = (lane: Lane, index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      lane.onBroken(reject)
      const turn = (): void => {
        const n = next(index)
        if (n === undefined) return resolve()
        const now = performance.now()
        const from = rate_s === 0 ? now : begun + (n / rate_s) * 1000
        const send = (): void =>
          lane.send(n, (taken) => {
            latencies[n] = performance.now() - from
            if (!taken) refused++
            turn()
          })
        if (from > now) setTimeout(send, from - now)
        else send()
      }
      turn()
    })
  await Promise.all(lanes.map(converse))
  const elapsed_s = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpu)
  latencies.sort()
  return { answered: count, refused, elapsed_s, p50_ms: percentile(latencies, 0.5), p99_ms: percentile(latencies, 0.99), cpu_s: (user + system) / 1e6 }
}
