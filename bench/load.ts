import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LoadPlan, LoadResult } from './load/plan.ts'

const TIMEOUT_ms = 300_000

/** Sends orders from a process of its own, so that the client's work is counted apart, and waits for every answer. */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('./load/client.ts', import.meta.url)), { timeout: TIMEOUT_ms, serialization: 'advanced' })
  const gone = once(child, 'exit')
  child.send(plan)
  const ended = gone.then(([code]) => {
    throw new Error(`the load client ended without a result (${String(code)})`)
  })
  const [result] = (await Promise.race([once(child, 'message'), ended])) as [LoadResult]
  ended.catch(() => undefined)
  // It has connections to close: the next client does not begin beside it.
  await gone
  return result
}
