// `npm run bench:venue`: signed orders over HTTP, from request to durable answer, against a whole local venue on this machine.
// One JSON line per figure after a line with machine and versions. Orders are signed ahead of time; about half of them trade.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setUp } from '../scripts/setup/setup.ts'
import { Steps } from '../scripts/setup/steps.ts'
import { main } from '../scripts/setup/fault.ts'
import { LocalVenue, units } from '../scripts/venue/localVenue.ts'
import { cpuSeconds } from './cpu.ts'
import { runLoad } from './load.ts'
import { machine, report } from './report.ts'
import { signOrders } from './signedOrders.ts'

const TRADERS = 64
const MARKETS = [
  ['XLM', 'USDC'],
  ['EURC', 'USDC'],
  ['XLM', 'EURC'],
  ['GBPC', 'USDC'],
] as const
const CASES = [
  { connections: 1, warmUp: 500, orders: 3_000 },
  { connections: 16, warmUp: 2_000, orders: 20_000 },
  { connections: 64, warmUp: 4_000, orders: 60_000 },
] as const
/** An open loop at half of what the closed one of 64 connections reached: what a venue answers like that is not full. */
const HALF = { connections: 256, warmUp: 2_000, orders: 40_000 } as const
/** Signed orders in one request, and requests at a time. */
const BATCH = { orders: 100, connections: 8, warmUp: 100, requests: 800 } as const
const SETTLED_TIMEOUT_ms = 180_000

await main(async () => {
  const steps = new Steps()
  await setUp(steps)
  const state = mkdtempSync(join(tmpdir(), 'darkpool-bench-'))
  const venue = await LocalVenue.open({ state, ledgerTime_s: 5, vaultPartitions: 1, markets: MARKETS, assets: ['USDC', 'EURC', 'GBPC'], progress: steps })
  try {
    await venue.startChain()
    const names = Array.from({ length: TRADERS }, (_, i) => `trader${i}`)
    const each = units(1_000_000)
    const traders = await steps.run('traders', () => venue.fund(names, { held: {}, deposited: { XLM: units(5_000), USDC: each, EURC: each, GBPC: each } }), () => String(TRADERS))
    await venue.startServers()
    await steps.run('deposits seen', () => Promise.all(traders.map((trader) => trader.caughtUp())))

    machine()
    let most = 0
    for (const markets of [1, MARKETS.length]) {
      for (const { connections, warmUp, orders } of CASES) {
        const signed = await signOrders(venue, traders, MARKETS.slice(0, markets), warmUp + orders)
        await runLoad(venue.gatewayUrl, connections, signed.slice(0, warmUp))
        const pids = { gateway: venue.gateway.pid, shard: venue.shard.pid, 'nats-server': venue.nats.pid, localnet: venue.localnet.pid }
        const before = cpuSeconds(pids)
        const load = await runLoad(venue.gatewayUrl, connections, signed.slice(warmUp))
        const after = cpuSeconds(pids)

        const name = `${markets} ${markets === 1 ? 'pair' : 'pairs'}, ${connections} ${connections === 1 ? 'connection' : 'connections'}`
        const figure = (metric: string, value: number, unit: string): void => report({ bench: 'venue', case: name, metric, value, unit })
        if (markets === 1) most = Math.max(most, load.answered / load.elapsed_s)
        figure('throughput', load.answered / load.elapsed_s, 'orders/s')
        figure('latency p50', load.p50_ms, 'ms')
        figure('latency p99', load.p99_ms, 'ms')
        for (const [process, seconds] of Object.entries(after)) figure(`cpu ${process}`, ((seconds - (before[process] ?? 0)) / load.answered) * 1e6, 'µs/order')
        figure('cpu client', (load.cpu_s / load.answered) * 1e6, 'µs/order')
        figure('refused', load.refused, 'orders')
      }
    }
    const evenly = await signOrders(venue, traders, MARKETS.slice(0, 1), HALF.warmUp + HALF.orders)
    const rate_s = Math.floor(most / 2)
    await runLoad(venue.gatewayUrl, HALF.connections, evenly.slice(0, HALF.warmUp), '/api/v1/orders', rate_s)
    const half = await runLoad(venue.gatewayUrl, HALF.connections, evenly.slice(HALF.warmUp), '/api/v1/orders', rate_s)
    const open = (metric: string, value: number, unit: string): void => report({ bench: 'venue', case: '1 pair, open loop at half load', metric, value, unit })
    open('rate', rate_s, 'orders/s')
    open('latency p50', half.p50_ms, 'ms')
    open('latency p99', half.p99_ms, 'ms')
    open('refused', half.refused, 'orders')

    const signed = await signOrders(venue, traders, MARKETS.slice(0, 1), (BATCH.warmUp + BATCH.requests) * BATCH.orders)
    const bodies = Array.from({ length: BATCH.warmUp + BATCH.requests }, (_, n) => `{"messages":[${signed.slice(n * BATCH.orders, (n + 1) * BATCH.orders).join()}]}`)
    await runLoad(venue.gatewayUrl, BATCH.connections, bodies.slice(0, BATCH.warmUp), '/api/v1/orders/batch')
    const load = await runLoad(venue.gatewayUrl, BATCH.connections, bodies.slice(BATCH.warmUp), '/api/v1/orders/batch')
    const batches = (metric: string, value: number, unit: string): void => report({ bench: 'venue', case: `1 pair, batches of ${BATCH.orders}, ${BATCH.connections} connections`, metric, value, unit })
    batches('throughput', (load.answered * BATCH.orders) / load.elapsed_s, 'orders/s')
    batches('latency p50', load.p50_ms, 'ms')
    batches('latency p99', load.p99_ms, 'ms')
    batches('refused', load.refused, 'requests')
    const begun = performance.now()
    await Promise.all(traders.map((trader) => trader.settled(SETTLED_TIMEOUT_ms)))
    report({ bench: 'venue', case: 'after the last order', metric: 'all trades settled on chain', value: (performance.now() - begun) / 1000, unit: 's' })
  } finally {
    await venue.stop()
    rmSync(state, { recursive: true, force: true })
  }
  return 0
})
