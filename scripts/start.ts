// `npm start`: a whole venue on this machine, one trade to prove it, and then it stays up. `npm start -- --help` lists what can be chosen.
// `npm run cluster`: the same as three nodes, each with a nats-server of one cluster, a shard and a gateway.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Fault, main } from './setup/fault.ts'
import { setUp } from './setup/setup.ts'
import { Steps } from './setup/steps.ts'
import { balanceTable, demonstrate, MARKET, readBalances } from './venue/demonstration.ts'
import { FeedReader } from './venue/feedReader.ts'
import { LocalVenue, units } from './venue/localVenue.ts'
import { VENUE_NAME } from './venue/venueFile.ts'
import { verificationFiles, verifyLocalVenue } from './venue/verification.ts'
import type { TraderFunds } from './venue/localVenue.ts'

const CLUSTER_NODES = 3
const defaultState = { one: '.darkpool', cluster: '.darkpool-cluster' } as const
/** From a nats-server's port for clients to its port for the other servers. */
const ROUTE_OFFSET = 2_000

const HELP = `npm start -- [options], or npm run cluster -- [options]
  --fresh            begin anew: forget what an earlier venue in the state folder kept
  --state DIR        state folder (${defaultState.one}; a cluster's is ${defaultState.cluster})
  --port N           port of the gateway (8080; a cluster's are this and the next two)
  --nats-port N      port of nats-server (4222; a cluster's are this and the next two, and ${ROUTE_OFFSET} above them)
  --rpc-port N       port of the local Stellar network (8000)
  --metrics-port N   port of the gateway's metrics, and the next one of the shard's (9464; a cluster's are this and the next five)
  --ledger-time S    seconds between ledgers (5)
  --once             end after the first trade`

/** A market and a vault actor for each node. */
const clusterShape = {
  markets: [
    ['XLM', 'USDC'],
    ['EURC', 'USDC'],
    ['XLM', 'EURC'],
  ],
  vaultPartitions: CLUSTER_NODES,
} as const

const traders: Readonly<Record<string, TraderFunds>> = {
  alice: { held: { USDC: units(10_000) }, deposited: { XLM: units(5_000), USDC: units(10_000), EURC: units(1_000) } },
  bob: { held: { USDC: units(10_000) }, deposited: { XLM: units(5_000), USDC: units(10_000), EURC: units(1_000) } },
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        fresh: { type: 'boolean', default: false },
        once: { type: 'boolean', default: false },
        cluster: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        state: { type: 'string' },
        port: { type: 'string', default: '8080' },
        'nats-port': { type: 'string', default: '4222' },
        'rpc-port': { type: 'string', default: '8000' },
        'metrics-port': { type: 'string', default: '9464' },
        'ledger-time': { type: 'string', default: '5' },
      },
    }).values
  } catch (error) {
    throw new Fault(`${(error as Error).message}\n\n${HELP}`)
  }
}

function number(text: string, name: string, lowest: number, highest: number, whole: boolean): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= lowest && value <= highest) || (whole && !Number.isInteger(value))) {
    throw new Fault(`--${name} ${text}: a ${whole ? 'whole ' : ''}number from ${lowest} to ${highest} is wanted.`)
  }
  return value
}

/** Resolves at the first Ctrl-C or SIGTERM. npm passes on what the terminal sent already, so more of them right after mean nothing. */
function askedToEnd(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
  })
}

await main(async () => {
  const options = readOptions()
  const steps = new Steps()
  if (options.help) {
    steps.say(HELP)
    return 0
  }
  const port = (name: 'port' | 'nats-port' | 'rpc-port' | 'metrics-port'): number => number(options[name], name, 1, 65_535, true)
  const [gateway, nats, metrics] = [port('port'), port('nats-port'), port('metrics-port')]
  const nodes = Array.from({ length: options.cluster ? CLUSTER_NODES : 1 }, (_, n) => ({ gateway: gateway + n, nats: nats + n, route: nats + n + ROUTE_OFFSET, gatewayMetrics: metrics + 2 * n, shardMetrics: metrics + 2 * n + 1 }))
  const ports = { rpc: port('rpc-port'), nodes }
  const state = options.state ?? (options.cluster ? defaultState.cluster : defaultState.one)
  const ledgerTime_s = number(options['ledger-time'], 'ledger-time', 0.1, 60, false)
  await setUp(steps)
  const end = askedToEnd()
  const venue = await LocalVenue.open({ state, ports, ledgerTime_s, fresh: options.fresh, progress: steps, ...(options.cluster && clusterShape) })
  const ended = end.then((signal) => ({ signal }))
  try {
    const work = run(venue, steps)
    // What is left of an interrupted start is ended with the servers; only its own words would come too late.
    work.catch(() => undefined)
    const first = await Promise.race([work, ended])
    if (first === undefined && !options.once) await end
    steps.say('\nEnding everything that was started …')
  } finally {
    await venue.stop()
  }
  steps.say(`Ended. What happened is kept in ${venue.state.path}; \`npm ${options.cluster ? 'run cluster' : 'start'}\` goes on from there.`)
  // The interrupted work may hold timers and sockets.
  process.exit(0)
})

async function run(venue: LocalVenue, steps: Steps): Promise<void> {
  await venue.startChain()
  const founded = !venue.isKept
  if (founded) {
    await steps.run(
      'traders and deposits',
      async () => {
        for (const [name, funds] of Object.entries(traders)) await venue.fund([name], funds)
      },
      () => Object.keys(traders).join(', '),
    )
  }
  await venue.startServers()
  const { trust } = await venue.natsAccess()
  const sides = await Promise.all(
    Object.keys(traders).map(async (name, n) => {
      // In a cluster each trades at a gateway of its own.
      const trader = venue.trader(name, venue.nodes[n % venue.nodes.length])
      return { trader, feed: await FeedReader.open(venue.natsUrls, VENUE_NAME, trader.key, trust) }
    }),
  )
  await steps.run(
    'verified',
    async () => {
      const { ok, checks } = await verifyLocalVenue(venue.state, venue.deployment, venue.nodes[0].gatewayUrl, venue.chain.url)
      if (!ok) throw new Fault(`The venue's own evidence does not pass: ${checks.filter((check) => !check.ok).map(({ name, evidence }) => `${name} (${evidence})`).join(', ')}`)
      return checks.length
    },
    (passed) => `${passed} checks of its evidence, the machine's root being its own (no hardware)`,
  )
  const [alice, bob] = sides
  if (!alice || !bob) throw new Error('two traders are needed for a trade')
  const everybody = sides.map(({ trader }) => trader)
  await steps.run('deposits seen', () => Promise.all(everybody.map((trader) => trader.caughtUp())))
  const codes = ['XLM', 'USDC']
  const before = await readBalances(everybody, codes)
  const { transaction, ledger } = await demonstrate(alice, bob, steps)
  const after = await readBalances(everybody, codes)
  for (const { feed } of sides) await feed.close()
  // Who looks for the venue looks in .darkpool.
  const where = venue.state.path === resolve(defaultState.one) ? '' : ` --state ${venue.state.path}`
  const clustered = venue.nodes.length > 1
  const files = verificationFiles(venue.state)
  steps.say(`
One order of each was signed, matched in the dark and settled on chain, ${steps.elapsed} after the start.

  transaction ${transaction}
  ledger      ${ledger}

Balances in the vault contract, from the chain:
${balanceTable(before, after, 7)}

The venue is up:
  gateway  ${venue.nodes.map(({ gatewayUrl }) => gatewayUrl).join('  ')}
  NATS     ${venue.natsUrls.join('  ')}
  RPC      ${venue.chain.url}
  metrics  ${venue.nodes.flatMap(({ metricsUrls }) => metricsUrls).join('  ')}
  vault    ${venue.deployment.vault}
  keys     ${venue.state.file('keys')} (alice, bob)
  logs     ${venue.state.file('logs')}

Trade again, in another terminal:
  npx darkpool order sell ${MARKET} --quantity 25 --price 0.1 --as bob${where}
  npx darkpool order buy ${MARKET} --quantity 25 --price 0.1 --as alice${where}
  npx darkpool watch --after 0 --as alice${where}
or both sides and their settlement at once:
  npm run trade${where && ` --${where}`}
Look at its evidence as a trader does:
  npx darkpool verify ${venue.gatewayUrl} --policy ${files.policy} --development-root ${files.root} --engine ${venue.deployment.engine} --tls-unseen
${clustered ? `\nWhich node has what, and a market on the move:\n  npx darkpool status${where}\n  npx darkpool pair move ${MARKET} b${where}\n` : ''}
Ctrl-C ends it.`)
}
