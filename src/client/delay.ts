/** Waits, wherever JavaScript runs: as long as it says, or until the signal, whichever comes first. */
export function delay(time_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, time_ms)
    signal?.addEventListener('abort', end, { once: true })
  })
}
