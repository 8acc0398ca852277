/**
 * A process that serves until it is told to end: by SIGTERM, by SIGINT, or when a parent with an IPC channel is gone, to which it says {type: 'ready'} now. It ends with exit code 0 once
 * `close` is done, however often it is told.
 */
export function serveUntilTold(close: (why: string) => Promise<void>): void {
  let ending = false
  const end = (why: string): void => {
    if (ending) return
    ending = true
    void close(why).then(() => process.exit(0))
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('SIGINT'))
  process.on('disconnect', () => end('the parent is gone'))
  process.send?.({ type: 'ready' })
}
