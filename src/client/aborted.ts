import { NeverSent } from './errors.ts'

/** What others wait for too, until the signal of a request that was not sent yet. @throws NeverSent at the signal */
export async function orAborted<Value>(awaited: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const over = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) return reject(new NeverSent(signal.reason))
    signal.addEventListener('abort', () => reject(new NeverSent(signal.reason)), { once: true, signal: over.signal })
  })
  try {
    return await Promise.race([awaited, aborted])
  } finally {
    over.abort()
  }
}
