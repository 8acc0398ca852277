import type { KeyRole } from '../../src/enclave/holder/roles.ts'
import type { NatsCertificates } from '../../src/enclave/natsCertificates.ts'
import { paths } from '../setup/paths.ts'
import { clusterNode, natsServer } from './natsServer.ts'
import type { NatsSettings } from '../../src/natsServer/configuration.ts'
import { LOOPBACK } from './ports.ts'
import type { NodePorts } from './ports.ts'
import type { Programs } from './programs.ts'
import { ServerProcess } from './serverProcess.ts'
import type { ServerEvents, ServerPlan } from './serverProcess.ts'
import type { StateFolder } from './stateFolder.ts'

const SHARD_GRACE_ms = 40_000
const GATEWAY_GRACE_ms = 20_000

export interface NodePlan {
  /** Of the node among the venue's shards. */
  readonly name: string
  readonly ports: NodePorts
  /** Of every node, this one included. */
  readonly all: readonly NodePorts[]
  readonly nats: Pick<NatsSettings, 'venue' | 'user' | 'keys'>
  /** Of the nats-servers, where there are several. */
  readonly certificates: NatsCertificates
  readonly programs: Programs
  readonly venuePath: string
  /** Where the key holder gives a part its keys. */
  readonly keySocket: (role: KeyRole) => string
}

/** What would be one confidential VM: a nats-server, a shard and a gateway, here as processes on loopback. */
export class VenueNode {
  readonly name: string
  readonly ports: NodePorts
  readonly nats: ServerProcess
  readonly shard: ServerProcess
  readonly gateway: ServerProcess
  readonly #clustered: boolean

  constructor(plan: NodePlan, state: StateFolder, events: ServerEvents) {
    const { name, ports, all } = plan
    this.name = name
    this.ports = ports
    // Alone it needs no name among others.
    this.#clustered = all.length > 1
    const suffix = this.#clustered ? `-${name}` : ''
    const node = this.#clustered ? clusterNode(name, ports, all, plan.certificates) : undefined
    const program = (what: KeyRole, file: string, grace_ms: number, ...options: string[]): ServerPlan => ({
      name: `${what}${suffix}`,
      start: plan.programs.venue(file),
      args: () => ['--venue', plan.venuePath, '--keys', `unix:${plan.keySocket(what)}`, ...options],
      log: state.file('logs', `${what}${suffix}.log`),
      ipc: true,
      grace_ms,
    })
    this.nats = new ServerProcess(natsServer(state, { ...plan.nats, port: ports.nats }, plan.programs.natsServer, node), events)
    this.shard = new ServerProcess(program('shard', paths.shard, SHARD_GRACE_ms, '--node', name, '--metrics', String(ports.shardMetrics)), events)
    this.gateway = new ServerProcess(program('gateway', paths.gateway, GATEWAY_GRACE_ms, '--port', String(ports.gateway), '--metrics', String(ports.gatewayMetrics)), events)
  }

  get gatewayUrl(): string {
    return `http://${LOOPBACK}:${this.ports.gateway}`
  }

  /** Of its gateway and its shard. */
  get metricsUrls(): readonly [string, string] {
    const url = (port: number): string => `http://${LOOPBACK}:${port}/metrics`
    return [url(this.ports.gatewayMetrics), url(this.ports.shardMetrics)]
  }

  get natsUrl(): string {
    return `${this.#clustered ? 'tls' : 'nats'}://${LOOPBACK}:${this.ports.nats}`
  }

  /** The ones that others depend on first. */
  get servers(): readonly ServerProcess[] {
    return [this.nats, this.shard, this.gateway]
  }
}
