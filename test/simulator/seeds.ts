import type { Result } from '../../simulator/result.ts'
import { reportOf } from '../../simulator/report.ts'
import { simulate } from '../../simulator/simulation.ts'

/** Events of one run in which things go wrong: enough for orders, trades, batches, snapshots and several owners of each actor. */
export const STEPS = 1_200

/** Runs every seed; throws with all that is known about the first that breaks a rule. */
export async function runSeeds(first: number, last: number): Promise<Result[]> {
  const results: Result[] = []
  for (let seed = first; seed <= last; seed++) {
    const result = await simulate({ seed, steps: STEPS })
    if (result.violation !== null) throw new Error(reportOf(result, 0))
    results.push(result)
  }
  return results
}

/** How often each fault was met in all of them. */
export function faultsOf(results: readonly Result[]): Map<string, number> {
  const faults = new Map<string, number>()
  for (const result of results) for (const [fault, count] of result.faults) faults.set(fault, (faults.get(fault) ?? 0) + count)
  return faults
}
