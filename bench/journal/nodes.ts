import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Steps } from '../../scripts/setup/steps.ts'
import { setUp } from '../../scripts/setup/setup.ts'
import { LocalVenue, units } from '../../scripts/venue/localVenue.ts'
import type { LocalTrader } from '../../scripts/venue/trader.ts'
import { leaseKey, readHolder } from '../../src/actors/placement/keys.ts'
import { KvStore } from '../../src/actors/placement/kvStore.ts'
import { setPin } from '../../src/actors/placement/pins.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { decode } from '../../src/protocol/codec.ts'
import type { ActorStatus } from '../../src/protocol/packets.ts'
import type { MarketName } from '../../src/protocol/identity.ts'
import { pairActor, Subjects, vaultOf } from '../../src/protocol/subjects.ts'
import { runLoad } from '../load.ts'
import { report } from '../report.ts'
import { signOrders } from '../signedOrders.ts'

const MARKETS = [
  ['XLM', 'USDC'],
  ['EURC', 'USDC'],
  ['XLM', 'EURC'],
] as const
const MARKET = 'XLM-USDC' as MarketName
const TRADERS = 24
const TIMES = 5
const ORDERS = 20_000
const CONNECTIONS = 64
/** Between two orders of the trader who waits. */
const PROBE_ms = 5

const figure = (what: string, metric: string, value: number, unit: string): void => report({ bench: 'journal', case: what, metric, value, unit })
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** Three nodes on one machine, streams of three copies: how long a market is away for a trader when it moves and when its node dies, and what one, two and three shards take. */
export async function benchVenueOfNodes(): Promise<void> {
  const steps = new Steps(process.stderr)
  await setUp(steps)
  const state = mkdtempSync(join(tmpdir(), 'darkpool-bench-nodes-'))
  const venue = await LocalVenue.open({ state, nodes: 3, ledgerTime_s: 5, vaultPartitions: 3, markets: MARKETS, progress: steps })
  try {
    await venue.startChain()
    const names = Array.from({ length: TRADERS }, (_, i) => `trader${i}`)
    const traders = await venue.fund(names, { held: {}, deposited: { XLM: units(5_000), USDC: units(1_000_000), EURC: units(1_000_000) } })
    await venue.startServers()
    await Promise.all(traders.map((trader) => trader.caughtUp()))
    await handovers(venue, traders)
    await throughput(venue, traders)
  } finally {
    await venue.stop()
    rmSync(state, { recursive: true, force: true })
  }
}

async function handovers(venue: LocalVenue, traders: readonly LocalTrader[]): Promise<void> {
  const subjects = new Subjects('local')
  const [home, , other] = venue.nodes
  if (!other) throw new Error('three nodes are needed')
  const connection = await connectNats(await venue.natsAccess(), 'bench')
  const store = await KvStore.open(connection, subjects, 3)
  let runsOn = ''
  connection.subscribe(subjects.allStatus, {
    callback: (_, { data }) => {
      const status = decode<ActorStatus>(data)
      if (status.actor === pairActor(MARKET) && status.state === 'running') runsOn = status.node
    },
  })
  const ownerOf = async (actor: ReturnType<typeof vaultOf>): Promise<string | undefined> => readHolder((await store.read()).get(leaseKey(actor)))?.node
  const settledOn = async (node: string): Promise<void> => {
    while (runsOn !== node) await delay(20)
  }
  // The market's node dies in turn; the trader's own vault actor and gateway are elsewhere, so that only the market is between owners.
  const owners = await Promise.all(traders.map(async ({ account }) => ownerOf(vaultOf(account, 3))))
  const trader = venue.trader(traders[owners.findIndex((owner) => owner !== home.name)]!.name, other)
  const client = await trader.client()
  const order = { side: 'buy', type: 'limit', price: '0.01', quantity: '0.1', timeInForce: 'IOC' } as const
  /** The longest time between two final answers while something goes on. */
  const away = async (happens: () => Promise<void>): Promise<number> => {
    let over = false
    let longest_ms = 0
    const probing = (async () => {
      for (let last = performance.now(); !over; await delay(PROBE_ms)) {
        const { id } = await client.placeOrder(MARKET, order)
        while ((await client.order(id)).status === 'pending') await delay(PROBE_ms)
        longest_ms = Math.max(longest_ms, performance.now() - last)
        last = performance.now()
      }
    })()
    await delay(500)
    await happens()
    await delay(500)
    over = true
    await probing
    return longest_ms
  }

  const moves: number[] = []
  for (let time = 0; time < TIMES * 2; time++) {
    const to = time % 2 === 0 ? other.name : home.name
    moves.push(
      await away(async () => {
        await setPin(store, pairActor(MARKET), to)
        await settledOn(to)
      }),
    )
  }
  figure('planned move of a market', 'longest wait for an answer, median', median(moves), 'ms')
  figure('planned move of a market', 'longest wait for an answer, worst', Math.max(...moves), 'ms')

  const deaths: number[] = []
  for (let time = 0; time < TIMES; time++) {
    deaths.push(
      await away(async () => {
        await home.shard.kill()
        while (runsOn === home.name) await delay(20)
      }),
    )
    await home.shard.start()
    await settledOn(home.name)
    await venue.ready()
  }
  figure('node of a market dies', 'longest wait for an answer, median', median(deaths), 'ms')
  figure('node of a market dies', 'longest wait for an answer, worst', Math.max(...deaths), 'ms')
  await connection.close()
}

/** The same load for three markets on as many shards as are left; with fewer, those that stay take what the others had. */
async function throughput(venue: LocalVenue, traders: readonly LocalTrader[]): Promise<void> {
  for (let shards = venue.nodes.length; shards > 0; shards--) {
    const bodies = await signOrders(venue, traders, MARKETS, ORDERS)
    const load = await runLoad({ over: 'http', url: venue.gatewayUrl, path: '/api/v1/orders', connections: CONNECTIONS, rate_s: 0, bodies })
    const name = `three markets, three nats-servers, ${shards} ${shards === 1 ? 'shard' : 'shards'}, ${CONNECTIONS} connections`
    figure(name, 'throughput', load.answered / load.elapsed_s, 'orders/s')
    figure(name, 'latency p50', load.p50_ms, 'ms')
    figure(name, 'latency p99', load.p99_ms, 'ms')
    figure(name, 'refused', load.refused, 'orders')
    if (shards > 1) await venue.nodes[shards - 1]!.shard.stop()
    await venue.ready()
  }
}
