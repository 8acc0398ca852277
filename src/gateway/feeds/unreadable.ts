import type { Log } from '../log.ts'
import type { Unreadable } from './feedStore.ts'

/** One line in so long, however many there are. */
const QUIET_MS = 60_000

/**
 * Says in the log that stored messages were passed over since they are nothing that the venue has written: somebody else has the store. It names the stream and a place, and how many were met since the
 * line before; never whose they are, or what they hold.
 */
export function unreadableLog(log: Log, now: () => number = () => performance.now()): Unreadable {
  let [met, quiet] = [0, -Infinity]
  return (stream, place) => {
    met++
    if (now() < quiet) return
    log.error({ at: 'feeds#unreadable', alarm: 'feed_unreadable', stream, place, met }, 'a stored message is not what the venue has written: it is passed over')
    met = 0
    quiet = now() + QUIET_MS
  }
}
