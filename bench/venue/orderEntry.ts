import { BareServer } from './bare/server.ts'
import type { LoadPlan } from '../load/plan.ts'
import { VENUE_NAME } from '../../scripts/venue/venueFile.ts'
import { several } from './stage.ts'
import type { Stage } from './stage.ts'

const CLOSED = [
  { connections: 1, warmUp: 500, orders: 3_000 },
  { connections: 16, warmUp: 2_000, orders: 20_000 },
  { connections: 64, warmUp: 4_000, orders: 60_000 },
] as const
const MOST = CLOSED[2]
/** An open loop at half of what the closed one of 64 connections reaches: what a venue answers like that is not full. */
const HALF = { connections: 256, warmUp: 2_000, orders: 40_000 } as const
/** Signed orders in one request, and requests at a time. */
const BATCH = { orders: 100, connections: 8, warmUp: 100, requests: 800 } as const

const ORDERS = '/api/v1/orders'
const BATCHES = '/api/v1/orders/batch'

const overHttp =
  (stage: Stage, connections: number, path = ORDERS, rate_s = 0) =>
  (bodies: readonly string[]): LoadPlan => ({ over: 'http', url: stage.venue.gatewayUrl, path, connections, rate_s, bodies })

/** One order to a request, each connection sends as soon as it may. @returns the most orders a second that it came to */
export async function oneByOne(stage: Stage, markets = 1): Promise<number> {
  let most = 0
  for (const { connections, warmUp, orders } of CLOSED) {
    const bodies = await stage.sign(stage.scaled(warmUp) + stage.scaled(orders), markets)
    const load = await stage.measure(`${several(markets, 'pair')}, ${several(connections, 'connection')}`, overHttp(stage, connections), bodies, stage.scaled(warmUp))
    most = Math.max(most, load.answered / load.elapsed_s)
  }
  return most
}

/** The same orders for the bare path (bare/path.ts), which keeps them in the same nats-server: what this machine could do at all. */
export async function barely(stage: Stage): Promise<void> {
  const bare = await BareServer.start(await stage.venue.natsAccess())
  try {
    for (const { connections, warmUp, orders } of CLOSED) {
      const bodies = await stage.sign(stage.scaled(warmUp) + stage.scaled(orders))
      const plan = (some: readonly string[]): LoadPlan => ({ over: 'http', url: bare.url, path: ORDERS, connections, rate_s: 0, bodies: some })
      await stage.measure(several(connections, 'connection'), plan, bodies, stage.scaled(warmUp), 1, { name: 'bare path', pid: bare.pid })
    }
  } finally {
    await bare.stop()
  }
}

/** @param most orders a second that the closed loop came to */
export async function atHalfLoad(stage: Stage, most: number): Promise<void> {
  const bodies = await stage.sign(stage.scaled(HALF.warmUp) + stage.scaled(HALF.orders))
  await stage.measure('1 pair, open loop at half load', overHttp(stage, HALF.connections, ORDERS, Math.floor(most / 2)), bodies, stage.scaled(HALF.warmUp))
}

export async function inBatches(stage: Stage): Promise<void> {
  const [warmUp, requests] = [stage.scaled(BATCH.warmUp), stage.scaled(BATCH.requests)]
  const signed = await stage.sign((warmUp + requests) * BATCH.orders)
  const bodies = Array.from({ length: warmUp + requests }, (_, n) => `{"messages":[${signed.slice(n * BATCH.orders, (n + 1) * BATCH.orders).join()}]}`)
  await stage.measure(`1 pair, batches of ${BATCH.orders}, ${several(BATCH.connections, 'connection')}`, overHttp(stage, BATCH.connections, BATCHES), bodies, warmUp, BATCH.orders)
}

/** The same orders over WebSockets, one at a time on each. */
export async function overStreams(stage: Stage): Promise<void> {
  for (const { connections, warmUp, orders } of [CLOSED[0], MOST]) {
    const bodies = await stage.sign(stage.scaled(warmUp) + stage.scaled(orders))
    const plan = (some: readonly string[]): LoadPlan => ({ over: 'stream', url: stage.venue.gatewayUrl, connections, rate_s: 0, bodies: some })
    await stage.measure(`1 pair, ${several(connections, 'WebSocket')}`, plan, bodies, stage.scaled(warmUp))
  }
}

/** The same over NATS: a connection for each trader, one request at a time on each. */
export async function overNats(stage: Stage): Promise<void> {
  const { venue, traders } = stage
  const secrets = traders.map(({ key }) => key.secret())
  // Whole rounds, so that every body is the trader's whose turn it is.
  const whole = (count: number): number => Math.ceil(stage.scaled(count) / traders.length) * traders.length
  const warmUp = whole(MOST.warmUp)
  const bodies = await stage.sign(warmUp + whole(MOST.orders))
  const plan = (some: readonly string[]): LoadPlan => ({ over: 'nats', servers: venue.natsUrls, venue: VENUE_NAME, secrets, rate_s: 0, bodies: some })
  await stage.measure(`1 pair, ${several(traders.length, 'NATS connection')}`, plan, bodies, warmUp)
}
