import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Keypair } from '@stellar/stellar-sdk'
import { readPin } from '../../src/actors/placement/keys.ts'
import { KvStore } from '../../src/actors/placement/kvStore.ts'
import { setPin } from '../../src/actors/placement/pins.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import type { KeyRole } from '../../src/enclave/holder/roles.ts'
import { engineKeyPath } from '../../src/enclave/keys.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import type { Keys } from '../../src/enclave/keys.ts'
import { venueNatsAccess } from '../../src/enclave/natsAccess.ts'
import { OwnNatsCertificates } from '../../src/enclave/natsAuthority.ts'
import { natsKeys } from '../../src/enclave/natsKeys.ts'
import type { NatsKeys } from '../../src/enclave/natsKeys.ts'
import type { NatsAccess } from '../../src/protocol/natsAccess.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { sourceKeys } from '../../src/settlement/sources.ts'
import { Fault } from '../setup/fault.ts'
import { silent } from '../setup/steps.ts'
import type { Progress } from '../setup/steps.ts'
import { Chain } from './chain.ts'
import { classicAsset, deploy, isCurrent, readDeployment, writeDeployment } from './deployment.ts'
import type { Deployment } from './deployment.ts'
import { EnclaveParts } from './enclaveParts.ts'
import { keyFile } from './keyFiles.ts'
import { localnet, rpcUrl } from './localnet.ts'
import { freePorts, requireFree } from './ports.ts'
import type { VenuePorts } from './ports.ts'
import { checkout } from './programs.ts'
import type { Programs } from './programs.ts'
import { ServerProcess } from './serverProcess.ts'
import type { ServerEvents } from './serverProcess.ts'
import { StateFolder, writeDurably } from './stateFolder.ts'
import { LocalTrader } from './trader.ts'
import { keepingVersions, NATS_TLS, NATS_USER, VENUE_NAME, venueFile } from './venueFile.ts'
import type { VenueShape } from './venueFile.ts'
import { VenueNode } from './venueNode.ts'

export interface LocalVenueOptions extends Partial<VenueShape> {
  /** Folder of all that the venue keeps. */
  readonly state: string
  /** Free ones where none are named; as many nodes as these have. */
  readonly ports?: VenuePorts
  /** With free ports: how many nodes. 1 unless given; with 3 their nats-servers form a cluster, and streams have three copies. */
  readonly nodes?: 1 | 3
  /** Seconds between ledgers. */
  readonly ledgerTime_s: number
  /** Codes of the assets that are issued for it, besides XLM. */
  readonly assets?: readonly string[]
  /** Forgets what an earlier venue in this folder kept. */
  readonly fresh?: boolean
  /** What starts nats-server and the venue's own programs: this checkout's unless given. What plays the guest agent is always that. */
  readonly programs?: Programs
  readonly progress?: Progress
}

/** What a trader begins with: `held` on its account, and `deposited` of that in the vault, in smallest units by asset code. */
export interface TraderFunds {
  readonly held?: Readonly<Record<string, bigint>>
  readonly deposited: Readonly<Record<string, bigint>>
}

const UNIT = 10_000_000n
/** While the chain is founded nobody waits for anything but ledgers. */
const FOUNDING_LEDGER_TIME_s = 0.05
const READY_TIMEOUT_ms = 120_000
const POLL_ms = 50
/** Name of the key that may ask the venue as an operator, beside its root key. */
const OPERATOR = 'operator'

const defaultShape: VenueShape = {
  markets: [
    ['XLM', 'USDC'],
    ['EURC', 'USDC'],
  ],
  vaultPartitions: 2,
  signatureThreads: 1,
  settlement: { maxAge_ms: 1_000, maxAccounts: 150, maxTrades: 10_000, sources: 2 },
}

/** A whole venue on this machine: a Stellar network, and of each node nats-server, shard and gateway, each a process; and the folder where all is kept. */
export class LocalVenue {
  readonly state: StateFolder
  readonly ports: VenuePorts
  readonly chain: Chain
  readonly localnet: ServerProcess
  readonly enclave: EnclaveParts
  readonly nodes: readonly [VenueNode, ...VenueNode[]]
  readonly keys: Keys
  readonly #options: LocalVenueOptions
  readonly #progress: Progress
  readonly #events: ServerEvents
  #ledgerTime_s: number
  #deployment: Deployment | undefined
  #kept = false
  readonly #funded: LocalTrader[] = []
  #stopping: Promise<void> | undefined

  private constructor(options: LocalVenueOptions, state: StateFolder, ports: VenuePorts, nats: NatsKeys) {
    this.#options = options
    this.#progress = options.progress ?? silent
    this.#ledgerTime_s = options.ledgerTime_s
    this.state = state
    this.ports = ports
    this.keys = developmentKeys(state.file('keys', 'root'))
    this.chain = new Chain(rpcUrl(ports.rpc))
    this.#events = {
      say: (text) => this.#progress.say(text),
      changed: () => {
        const pids = this.servers.map(({ plan, pid }) => [plan.name, pid] as const)
        state.recordProcesses(Object.fromEntries(pids), (text) => this.#progress.say(text))
      },
    }
    this.localnet = new ServerProcess(localnet(state, { port: ports.rpc, ledgerTime_s: () => this.#ledgerTime_s }), this.#events)
    const { programs = checkout } = options
    this.enclave = new EnclaveParts(state, this.venuePath, programs, this.#events)
    const plan = { all: ports.nodes, certificates: new OwnNatsCertificates(this.keys, { venue: VENUE_NAME, nats: { tls: NATS_TLS } }), nats: { venue: VENUE_NAME, user: NATS_USER, keys: nats }, programs, venuePath: this.venuePath, keySocket: (role: KeyRole) => this.enclave.socket(role) }
    const [first, ...others] = ports.nodes.map((own, n) => new VenueNode({ ...plan, name: nodeName(n), ports: own }, state, this.#events))
    if (!first) throw new Error('a venue has a node')
    this.nodes = [first, ...others]
    // Whatever way this process ends, what it started ends with it.
    process.once('exit', this.#killAll)
  }

  /**
   * Takes the state folder and makes sure that all can start; starts nothing.
   * @throws Fault with one clear sentence
   */
  static async open(options: LocalVenueOptions): Promise<LocalVenue> {
    const state = new StateFolder(options.state)
    const progress = options.progress ?? silent
    await state.hold((text) => progress.say(text))
    try {
      const ports = options.ports ?? (await freePorts(options.nodes ?? 1))
      await requireFree(ports.rpc, 'the local Stellar network', '--rpc-port')
      for (const { gateway, nats, route, gatewayMetrics, shardMetrics } of ports.nodes) {
        await requireFree(nats, 'nats-server', '--nats-port')
        if (ports.nodes.length > 1) await requireFree(route, 'nats-server (to the others)', '--nats-port')
        await requireFree(gateway, 'the gateway', '--port')
        for (const metrics of [gatewayMetrics, shardMetrics]) await requireFree(metrics, 'metrics', '--metrics-port')
      }
      // Without its deployment a chain is what an interrupted first start left: nobody has anything on it.
      if (options.fresh || !readDeployment(state.file('deployment.json'))) state.clear()
      for (const folder of ['logs', 'run']) mkdirSync(state.file(folder), { recursive: true, mode: 0o700 })
      return new LocalVenue(options, state, ports, await natsKeys(developmentKeys(state.file('keys', 'root'))))
    } catch (error) {
      state.release()
      throw error
    }
  }

  /** The first node's servers: all there are, where there is one node. */
  get nats(): ServerProcess {
    return this.nodes[0].nats
  }

  get shard(): ServerProcess {
    return this.nodes[0].shard
  }

  get gateway(): ServerProcess {
    return this.nodes[0].gateway
  }

  get gatewayUrl(): string {
    return this.nodes[0].gatewayUrl
  }

  get natsUrls(): readonly string[] {
    return this.nodes.map(({ natsUrl }) => natsUrl)
  }

  get deployment(): Deployment {
    if (!this.#deployment) throw new Error('the venue has not been founded')
    return this.#deployment
  }

  /** Whether the venue went on from what was kept. */
  get isKept(): boolean {
    return this.#kept
  }

  /** How the venue's own processes reach NATS. */
  async natsAccess(): Promise<NatsAccess> {
    return venueNatsAccess(this.keys, this.venueFile())
  }

  /** The ones that others depend on first. */
  get servers(): readonly ServerProcess[] {
    return [this.localnet, ...this.enclave.servers, ...this.nodes.map(({ nats }) => nats), ...this.nodes.map(({ shard }) => shard), ...this.nodes.map(({ gateway }) => gateway)]
  }

  logFile(server: ServerProcess): string {
    return server.plan.log
  }

  /** Everything, from nothing or from what was kept. Resolves when every actor runs and the gateway takes orders. */
  async start(): Promise<void> {
    await this.startChain()
    await this.startServers()
  }

  /** The network, and at the first start all that has to stand on it. */
  async startChain(): Promise<void> {
    const file = this.state.file('deployment.json')
    const engine = Keypair.fromRawEd25519Seed(Buffer.from(await this.keys.secret(engineKeyPath(1))))
    const sources = await sourceKeys(this.keys, { settlement: this.#shape.settlement })
    this.#deployment = readDeployment(file)
    if (!this.#deployment) {
      this.#ledgerTime_s = Math.min(FOUNDING_LEDGER_TIME_s, this.#options.ledgerTime_s)
      await this.#progress.run('Stellar network', () => this.localnet.start(), () => this.chain.url)
      const founders = { admin: this.#keyOf('admin'), issuer: this.#keyOf('issuer'), engine, sources }
      this.#deployment = await deploy(this.chain, founders, this.#options.assets ?? ['USDC', 'EURC'], this.#progress, this.#options.settlement?.channel)
      return
    }
    if (this.#deployment.engine !== engine.publicKey()) throw new Fault(`The venue in ${this.state.path} was founded with other keys, which an earlier version derived in another way: begin anew with --fresh.`)
    this.#kept = true
    await this.#progress.run('Stellar network', () => this.localnet.start(), () => `${this.chain.url}, state kept`)
    // As many as are configured now.
    await this.chain.create(sources)
    if (!isCurrent(this.#deployment)) this.#progress.say('  The contract has changed since this venue was founded; it keeps the old one. `npm start -- --fresh` begins anew with the new one.')
  }

  /** The venue's own servers. What was done on chain before counts as the founding: afterwards ledgers close at the venue's pace. */
  async startServers(): Promise<void> {
    writeDeployment(this.state.file('deployment.json'), this.deployment)
    if (this.#ledgerTime_s !== this.#options.ledgerTime_s) {
      this.#ledgerTime_s = this.#options.ledgerTime_s
      await this.localnet.stop()
      await this.localnet.start()
    }
    const file = this.venueFile()
    readVenue(file)
    writeDurably(this.venuePath, JSON.stringify(file, null, 2))
    const { nodes } = this
    const each = (start: (node: VenueNode) => Promise<void>) => () => Promise.all(nodes.map(start))
    await this.#progress.run('keys', () => this.enclave.start(), () => 'a guest agent for development, and the process that holds the keys')
    await this.#progress.run('nats-server', each(({ nats }) => nats.start()), () => this.natsUrls.join(', '))
    if (nodes.length > 1) await this.#spread(file)
    await this.#progress.run('shard', each(({ shard }) => shard.start()), () => file.markets.map(({ base, quote }) => `${base}-${quote}`).join(', '))
    await this.#progress.run('gateway', () => each(({ gateway }) => gateway.start())().then(() => this.ready()), () => nodes.map(({ gatewayUrl }) => gatewayUrl).join(', '))
  }

  /** Resolves when every gateway says that all actors run. */
  async ready(timeout_ms = READY_TIMEOUT_ms): Promise<void> {
    for (const end = Date.now() + timeout_ms; ; await delay(POLL_ms)) {
      const ready = await Promise.all(this.nodes.map(({ gatewayUrl }) => isReady(gatewayUrl)))
      if (ready.every(Boolean)) return
      if (Date.now() > end) throw new Fault(`The venue was not ready within ${timeout_ms / 1_000} s; its logs are in ${this.state.file('logs')}`)
    }
  }

  /** Ends every server in order, the ones that depend on others first. May be asked twice. */
  async stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  /** Ends the servers and keeps the folder, so that `startChain` and `startServers` can go on from there. */
  async stopServers(): Promise<void> {
    for (const server of this.servers.toReversed()) await server.stop()
  }

  get venuePath(): string {
    return this.state.file('venue.json')
  }

  get keysPath(): string {
    return this.state.file('keys', 'root')
  }

  venueFile(): VenueFile {
    const file = venueFile(this.deployment, this.#shape, this.ports, this.#keyOf(OPERATOR).publicKey())
    const before = this.#before()
    return before === null ? file : keepingVersions(file, before)
  }

  /** As it was written before, and perhaps changed since. */
  #before(): VenueFile | null {
    if (!existsSync(this.venuePath)) return null
    try {
      return JSON.parse(readFileSync(this.venuePath, 'utf8')) as VenueFile
    } catch (error) {
      throw new Fault(`${this.venuePath} is no JSON, and says which versions of keys the venue has: mend it, or begin anew with --fresh.`, { cause: error })
    }
  }

  get #shape(): VenueShape {
    return { ...defaultShape, ...this.#options }
  }

  /** The file with a trader's secret key. */
  keyPath(name: string): string {
    return this.state.file('keys', `${name}.seed`)
  }

  /** @param node whose gateway it trades at */
  trader(name: string, node = this.nodes[0]): LocalTrader {
    return new LocalTrader(name, this.#keyOf(name), this.chain, this.deployment, node.gatewayUrl)
  }

  /** Everybody that was funded here. */
  get traders(): readonly LocalTrader[] {
    return this.#funded
  }

  /** Makes traders, spread over the gateways: accounts on chain with issued assets, part of it deposited. Many at a time are little slower than one. */
  async fund(names: readonly string[], funds: TraderFunds): Promise<LocalTrader[]> {
    const traders = names.map((name, n) => this.trader(name, this.nodes[n % this.nodes.length]))
    const keys = traders.map(({ key }) => key)
    await this.chain.create(keys)
    const grants = this.deployment.assets
      .filter(({ issuer }) => issuer !== null)
      .map((asset) => ({ asset: classicAsset(asset), amount: (funds.held?.[asset.code] ?? 0n) + (funds.deposited[asset.code] ?? 0n) }))
      .filter(({ amount }) => amount > 0n)
    if (grants.length > 0) await this.chain.grant(this.#keyOf('issuer'), keys, grants)
    const [opening, ...others] = Object.entries(funds.deposited)
    // The first deposit opens the vault's account, whose index every earlier one changes: two at once, and what one was simulated with is wrong.
    if (opening) for (const trader of traders) await trader.deposit(...opening)
    await Promise.all(
      traders.map(async (trader) => {
        for (const deposit of others) await trader.deposit(...deposit)
      }),
    )
    this.#funded.push(...traders)
    return traders
  }

  /** Ends the worker of one actor as a crash would; the shard that does not run it only says so in its log. */
  terminate(actor: string): void {
    for (const { shard } of this.nodes) if (shard.pid !== undefined) shard.send({ type: 'terminate', actor })
  }

  async #stop(): Promise<void> {
    await this.stopServers()
    this.enclave.forget()
    this.state.release()
    process.off('exit', this.#killAll)
  }

  readonly #killAll = (): void => {
    for (const server of this.servers) server.killNow()
    this.enclave.forget()
    this.state.release()
  }

  #keyOf(name: string): Keypair {
    return keyFile(this.keyPath(name))
  }

  /** Every node gets a market, as an operator would pin them: rendezvous hashing of a few markets over a few nodes may leave one without. Kept pins stay. */
  async #spread(file: VenueFile): Promise<void> {
    const { subjects, markets } = readVenue(file)
    const connection = await connectNats(await this.natsAccess(), 'local venue')
    try {
      const { replicas } = file.nats
      await ensureStreams(connection, subjects, replicas)
      const store = await KvStore.open(connection, subjects, replicas ?? 1)
      const placed = await store.read()
      for (const [n, market] of [...markets.keys()].entries()) {
        const actor = pairActor(market)
        if (readPin(placed, actor) === undefined) await setPin(store, actor, nodeName(n % this.nodes.length))
      }
    } finally {
      await connection.close()
    }
  }
}

/** The nth node's name: a, b, c. */
const nodeName = (n: number): string => String.fromCharCode('a'.charCodeAt(0) + n)

/** Whole units in smallest units. */
export const units = (whole: number): bigint => BigInt(whole) * UNIT

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL('/ready', url), { signal: AbortSignal.timeout(5_000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    // It may be between two lives: asked again.
    return false
  }
}
