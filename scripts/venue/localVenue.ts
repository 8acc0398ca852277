import { mkdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Keypair } from '@stellar/stellar-sdk'
import type { NatsAccess } from '../../src/actors/runtime/transport.ts'
import { developmentKeys, keyPaths } from '../../src/enclave/keys.ts'
import type { Keys } from '../../src/enclave/keys.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { Fault } from '../setup/fault.ts'
import { paths } from '../setup/paths.ts'
import { silent } from '../setup/steps.ts'
import type { Progress } from '../setup/steps.ts'
import { Chain } from './chain.ts'
import { classicAsset, deploy, isCurrent, readDeployment, writeDeployment } from './deployment.ts'
import type { Deployment } from './deployment.ts'
import { keyFile } from './keyFiles.ts'
import { localnet, rpcUrl } from './localnet.ts'
import { natsServer } from './natsServer.ts'
import { freePort, LOOPBACK, requireFree } from './ports.ts'
import { ServerProcess } from './serverProcess.ts'
import type { ServerEvents, ServerPlan } from './serverProcess.ts'
import { StateFolder, writeDurably } from './stateFolder.ts'
import { LocalTrader } from './trader.ts'
import { NATS_USER, venueFile } from './venueFile.ts'
import type { VenuePorts, VenueShape } from './venueFile.ts'

export interface LocalVenueOptions extends Partial<VenueShape> {
  /** Folder of all that the venue keeps. */
  readonly state: string
  /** Free ones where none are named. */
  readonly ports?: VenuePorts
  /** Seconds between ledgers. */
  readonly ledgerTime_s: number
  /** Codes of the assets that are issued for it, besides XLM. */
  readonly assets?: readonly string[]
  /** Forgets what an earlier venue in this folder kept. */
  readonly fresh?: boolean
  readonly progress?: Progress
}

/** What a trader begins with: `held` on its account, and `deposited` of that in the vault, in smallest units by asset code. */
export interface TraderFunds {
  readonly held?: Readonly<Record<string, bigint>>
  readonly deposited: Readonly<Record<string, bigint>>
}

const UNIT = 10_000_000n
/** While the chain is founded nobody waits for anything but ledgers. */
const FOUNDING_LEDGER_TIME_s = 0.2
const READY_TIMEOUT_ms = 120_000
const POLL_ms = 50

const defaultShape: VenueShape = {
  markets: [
    ['XLM', 'USDC'],
    ['EURC', 'USDC'],
  ],
  vaultPartitions: 2,
  signatureThreads: 1,
  settlement: { maxAge_ms: 1_000, maxAccounts: 150, maxTrades: 10_000 },
}

/** A whole venue on this machine: a Stellar network, nats-server, a shard and a gateway, each a process, and the folder where all is kept. */
export class LocalVenue {
  readonly state: StateFolder
  readonly ports: VenuePorts
  readonly chain: Chain
  readonly localnet: ServerProcess
  readonly nats: ServerProcess
  readonly shard: ServerProcess
  readonly gateway: ServerProcess
  readonly keys: Keys
  readonly #options: LocalVenueOptions
  readonly #progress: Progress
  readonly #events: ServerEvents
  #ledgerTime_s: number
  #deployment: Deployment | undefined
  #kept = false
  readonly #funded: LocalTrader[] = []
  #stopping: Promise<void> | undefined

  private constructor(options: LocalVenueOptions, state: StateFolder, ports: VenuePorts, natsPassword: string) {
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
        const { localnet, nats, shard, gateway } = this
        state.recordProcesses({ localnet: localnet.pid, 'nats-server': nats.pid, shard: shard.pid, gateway: gateway.pid }, (text) => this.#progress.say(text))
      },
    }
    this.localnet = new ServerProcess(localnet(state, { port: ports.rpc, ledgerTime_s: () => this.#ledgerTime_s }), this.#events)
    this.nats = new ServerProcess(natsServer(state, { port: ports.nats, user: NATS_USER, password: natsPassword }), this.#events)
    this.shard = new ServerProcess(this.#program('shard', paths.shard, 40_000), this.#events)
    this.gateway = new ServerProcess(this.#program('gateway', paths.gateway, 20_000), this.#events)
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
      const ports = options.ports ?? { gateway: await freePort(), nats: await freePort(), rpc: await freePort() }
      await requireFree(ports.rpc, 'the local Stellar network', '--rpc-port')
      await requireFree(ports.nats, 'nats-server', '--nats-port')
      await requireFree(ports.gateway, 'the gateway', '--port')
      // Without its deployment a chain is what an interrupted first start left: nobody has anything on it.
      if (options.fresh || !readDeployment(state.file('deployment.json'))) state.clear()
      mkdirSync(state.file('logs'), { recursive: true, mode: 0o700 })
      const password = await developmentKeys(state.file('keys', 'root')).secret(keyPaths.nats)
      return new LocalVenue(options, state, ports, Buffer.from(password).toString('hex'))
    } catch (error) {
      state.release()
      throw error
    }
  }

  get gatewayUrl(): string {
    return `http://${LOOPBACK}:${this.ports.gateway}`
  }

  get natsUrl(): string {
    return `nats://${LOOPBACK}:${this.ports.nats}`
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
    const password = Buffer.from(await this.keys.secret(keyPaths.nats)).toString('hex')
    return { servers: [this.natsUrl], user: NATS_USER, password }
  }

  get servers(): readonly ServerProcess[] {
    return [this.localnet, this.nats, this.shard, this.gateway]
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
    this.#deployment = readDeployment(file)
    if (!this.#deployment) {
      this.#ledgerTime_s = Math.min(FOUNDING_LEDGER_TIME_s, this.#options.ledgerTime_s)
      await this.#progress.run('Stellar network', () => this.localnet.start(), () => this.chain.url)
      const founders = { admin: this.#keyOf('admin'), issuer: this.#keyOf('issuer'), engine: Keypair.fromRawEd25519Seed(Buffer.from(await this.keys.secret(keyPaths.engine))) }
      this.#deployment = await deploy(this.chain, founders, this.#options.assets ?? ['USDC', 'EURC'], this.#progress)
      return
    }
    this.#kept = true
    await this.#progress.run('Stellar network', () => this.localnet.start(), () => `${this.chain.url}, state kept`)
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
    await this.#progress.run('nats-server', () => this.nats.start(), () => this.natsUrl)
    await this.#progress.run('shard', () => this.shard.start(), () => `${file.markets.map(({ base, quote }) => `${base}-${quote}`).join(', ')}`)
    await this.#progress.run('gateway', () => this.gateway.start().then(() => this.ready()), () => this.gatewayUrl)
  }

  /** Resolves when the gateway says that all actors run. */
  async ready(timeout_ms = READY_TIMEOUT_ms): Promise<void> {
    for (const end = Date.now() + timeout_ms; ; await delay(POLL_ms)) {
      if (await isReady(this.gatewayUrl)) return
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
    const { markets, vaultPartitions, signatureThreads, settlement } = { ...defaultShape, ...this.#options }
    return venueFile(this.deployment, { markets, vaultPartitions, signatureThreads, settlement }, this.ports)
  }

  /** The file with a trader's secret key. */
  keyPath(name: string): string {
    return this.state.file('keys', `${name}.seed`)
  }

  trader(name: string): LocalTrader {
    return new LocalTrader(name, this.#keyOf(name), this.chain, this.deployment, this.gatewayUrl)
  }

  /** Everybody that was funded here. */
  get traders(): readonly LocalTrader[] {
    return this.#funded
  }

  /** Makes traders: accounts on chain with issued assets, part of it deposited. Many at a time are little slower than one. */
  async fund(names: readonly string[], funds: TraderFunds): Promise<LocalTrader[]> {
    const traders = names.map((name) => this.trader(name))
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

  /** For a shard: ends the worker of one actor as a crash would. */
  terminate(actor: string): void {
    this.shard.send({ type: 'terminate', actor })
  }

  async #stop(): Promise<void> {
    await this.stopServers()
    this.state.release()
    process.off('exit', this.#killAll)
  }

  readonly #killAll = (): void => {
    for (const server of this.servers) server.killNow()
    this.state.release()
  }

  #keyOf(name: string): Keypair {
    return keyFile(this.keyPath(name))
  }

  #program(name: string, file: string, grace_ms: number): ServerPlan {
    return {
      name,
      command: process.execPath,
      args: () => [file, '--venue', this.venuePath, '--keys', this.keysPath],
      log: this.state.file('logs', `${name}.log`),
      ipc: true,
      grace_ms,
    }
  }
}

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
