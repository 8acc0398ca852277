import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { runLoad } from '../load.ts'
import { percentile } from '../percentile.ts'
import { VENUE_NAME } from '../../scripts/venue/venueFile.ts'
import type { ReaderPlan, Sightings } from './readers.ts'
import { figure } from './stage.ts'
import type { Stage } from './stage.ts'

/** Traders who follow their fills, each over a WebSocket and over NATS: few of them, so that what is measured is the venue's work and not theirs. */
const READERS = 8
const LOAD = { connections: 256, warmUp: 2_000, orders: 20_000 } as const

/** How long after a match its traders hear of the fill, while orders come at half of the most that the venue takes. @param most orders a second */
export async function toSubscribers(stage: Stage, most: number): Promise<void> {
  const { venue, traders } = stage
  const rate_s = Math.floor(most / 2)
  const [warmUp, orders] = [stage.scaled(LOAD.warmUp), stage.scaled(LOAD.orders)]
  const bodies = await stage.sign(warmUp + orders)
  const load = (some: readonly string[]) => runLoad({ over: 'http', url: venue.gatewayUrl, path: '/api/v1/orders', connections: LOAD.connections, rate_s, bodies: some })
  const plan: ReaderPlan = { url: venue.gatewayUrl, servers: venue.natsUrls, venue: VENUE_NAME, secrets: traders.slice(0, READERS).map(({ key }) => key.secret()) }
  const child = fork(fileURLToPath(new URL('./readers.ts', import.meta.url)), { serialization: 'advanced' })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the readers ended without a result (${String(code)})`)
  })
  ended.catch(() => undefined)
  const said = async (): Promise<unknown> => ((await Promise.race([once(child, 'message'), ended])) as unknown[])[0]
  try {
    child.send(plan)
    await said()
    await load(bodies.slice(0, warmUp))
    child.send('begin')
    await said()
    await load(bodies.slice(warmUp))
    child.send('end')
    const sightings = (await said()) as Sightings
    for (const [way, latencies] of Object.entries(sightings)) {
      const name = `fills to ${READERS} subscribers over ${way}, half load`
      latencies.sort()
      figure(name, 'seen', latencies.length, 'fills')
      figure(name, 'match to subscriber p50', percentile(latencies, 0.5), 'ms')
      figure(name, 'match to subscriber p99', percentile(latencies, 0.99), 'ms')
    }
  } finally {
    child.kill()
  }
}
