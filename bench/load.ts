import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface LoadPlan {
  readonly host: string
  readonly port: number
  /** Where bodies are posted. */
  readonly path: string
  readonly connections: number
  /** Request bodies, sent in this order; each connection waits for its answer before it takes the next. */
  readonly bodies: readonly string[]
  /**
   * Requests a second, evenly spaced (open loop); 0: each connection sends as soon as it may (closed loop). In an open loop the time of a request counts from
   * when it was due, so that one which had to wait for a connection, or for a venue that stood still, is not counted as quick.
   */
  readonly rate_s: number
}

export interface LoadResult {
  readonly answered: number
  /** Answers other than 200, 201 and 202. */
  readonly refused: number
  readonly elapsed_s: number
  readonly p50_ms: number
  readonly p99_ms: number
  /** CPU time of the client's process while it sent. */
  readonly cpu_s: number
}

const TIMEOUT_ms = 120_000

/** Sends orders from a process of its own, so that the client's work is counted apart, and waits for every answer. */
export async function runLoad(url: string, connections: number, bodies: readonly string[], path = '/api/v1/orders', rate_s = 0): Promise<LoadResult> {
  const { hostname, port } = new URL(url)
  const child = fork(fileURLToPath(new URL('./loadClient.ts', import.meta.url)), { timeout: TIMEOUT_ms, serialization: 'advanced' })
  const plan: LoadPlan = { host: hostname, port: Number(port), path, connections, bodies, rate_s }
  child.send(plan)
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the load client ended without a result (${String(code)})`)
  })
  const [result] = (await Promise.race([once(child, 'message'), ended])) as [LoadResult]
  ended.catch(() => undefined)
  child.disconnect()
  return result
}
