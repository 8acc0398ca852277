// `npm run bench:venue`: signed orders over HTTP, WebSockets and NATS, from request to durable answer, and fills from match to subscriber, against a whole local
// venue on this machine. One JSON line per figure after a line with machine and versions. Orders are signed ahead of time; about half of them trade.
//   --only NAME,NAME   some of: http, bare (a peer: the path without funds, matching and feeds), half, batches, websocket, nats, fills, pairs (default: all, in this order)
//   --scale N          the number of orders as a share of the usual one, for a quick look (default 1)
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setUp } from '../scripts/setup/setup.ts'
import { NATS_VERSION } from '../scripts/setup/natsServer.ts'
import { Steps } from '../scripts/setup/steps.ts'
import { Fault, main } from '../scripts/setup/fault.ts'
import { LocalVenue, units } from '../scripts/venue/localVenue.ts'
import { machine } from './report.ts'
import { toSubscribers } from './venue/fills.ts'
import { atHalfLoad, barely, inBatches, oneByOne, overNats, overStreams } from './venue/orderEntry.ts'
import { figure, Stage } from './venue/stage.ts'

const TRADERS = 64
const MARKETS = [
  ['XLM', 'USDC'],
  ['EURC', 'USDC'],
  ['XLM', 'EURC'],
  ['GBPC', 'USDC'],
] as const
const SETTLED_TIMEOUT_ms = 180_000
const CASES = ['http', 'bare', 'half', 'batches', 'websocket', 'nats', 'fills', 'pairs'] as const
type Case = (typeof CASES)[number]

function wanted(): { cases: readonly Case[]; scale: number } {
  const { values } = parseArgs({ options: { only: { type: 'string', default: CASES.join() }, scale: { type: 'string', default: '1' } } })
  const unknown = values.only.split(',').find((name) => !CASES.some((known) => known === name))
  if (unknown !== undefined) throw new Fault(`--only ${unknown}: ${CASES.join(', ')}`)
  const scale = Number(values.scale)
  if (!(scale > 0 && scale <= 100)) throw new Fault(`--scale ${values.scale} is no share`)
  return { cases: CASES.filter((name) => values.only.split(',').includes(name)), scale }
}

await main(async () => {
  const { cases, scale } = wanted()
  // Beside the figures, which are the only thing on standard output.
  const steps = new Steps(process.stderr)
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

    machine({ 'nats-server': NATS_VERSION })
    const stage = new Stage(venue, traders, MARKETS, scale)
    let most: number | undefined
    /** What half load is the half of: measured, whether or not it was asked for. */
    const capacity = async (): Promise<number> => (most ??= await oneByOne(stage))
    const run: Readonly<Record<Case, () => Promise<unknown>>> = {
      http: capacity,
      bare: () => barely(stage),
      half: async () => atHalfLoad(stage, await capacity()),
      batches: () => inBatches(stage),
      websocket: () => overStreams(stage),
      nats: () => overNats(stage),
      fills: async () => toSubscribers(stage, await capacity()),
      pairs: () => oneByOne(stage, MARKETS.length),
    }
    for (const name of cases) await run[name]()
    const begun = performance.now()
    await Promise.all(traders.map((trader) => trader.settled(SETTLED_TIMEOUT_ms)))
    figure('after the last order', 'all trades settled on chain', (performance.now() - begun) / 1000, 's')
  } finally {
    await venue.stop()
    rmSync(state, { recursive: true, force: true })
  }
  return 0
})
