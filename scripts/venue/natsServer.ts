import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../setup/fault.ts'
import type { NatsCertificates } from '../../src/enclave/natsCertificates.ts'
import { natsConfiguration } from '../../src/natsServer/configuration.ts'
import type { ClusterSettings, NatsSettings } from '../../src/natsServer/configuration.ts'
import { renewTlsFiles } from '../../src/natsServer/tlsFiles.ts'
import { answers, LOOPBACK } from './ports.ts'
import type { NodePorts } from './ports.ts'
import type { Start } from './programs.ts'
import type { ServerPlan } from './serverProcess.ts'
import { writeDurably } from './stateFolder.ts'
import type { StateFolder } from './stateFolder.ts'

/** What a nats-server has that is one of several: they speak TLS, to each other and to whoever connects. */
export interface ClusterNode {
  readonly name: string
  readonly cluster: ClusterSettings
  readonly certificates: NatsCertificates
}

/** On loopback. @param all of every node, this one included */
export function clusterNode(name: string, own: NodePorts, all: readonly NodePorts[], certificates: NatsCertificates): ClusterNode {
  const place = ({ route }: NodePorts): string => `${LOOPBACK}:${route}`
  return { name, certificates, cluster: { host: LOOPBACK, port: own.route, advertise: place(own), routes: all.filter((other) => other !== own).map(place) } }
}

/** A nats-server of a local venue, configured from deploy/nats. */
export function natsServer(state: StateFolder, settings: Omit<NatsSettings, 'name' | 'storeFolder' | 'tls'>, start: Start, node?: ClusterNode): ServerPlan {
  const suffix = node === undefined ? '' : `-${node.name}`
  const configuration = state.file(`nats${suffix}.conf`)
  const storeFolder = state.file(`nats${suffix}`)
  return {
    name: `nats-server${suffix}`,
    start,
    args: async () => {
      adopt(storeFolder, node !== undefined)
      // A new certificate at each start.
      const tls = node && { ...(await renewTlsFiles(state.file('run', `nats${suffix}`), node.certificates, [LOOPBACK, 'localhost'])), cluster: node.cluster }
      writeDurably(configuration, natsConfiguration({ ...settings, name: `darkpool-local${suffix}`, storeFolder, ...(tls && { tls }) }))
      return ['--config', configuration]
    },
    log: state.file('logs', `nats-server${suffix}.log`),
    ipc: false,
    // It greets every connection once it serves.
    serves: async () => answers(settings.port, true, (await node?.certificates.authorities())?.join('')),
    grace_ms: 15_000,
  }
}

/** Before there was an account for the venue alone, its streams were in the server's default one: they are the same files in another folder. */
function adopt(storeFolder: string, clustered: boolean): void {
  const [before, now] = ['$G', 'VENUE'].map((account) => join(storeFolder, 'jetstream', account)) as [string, string]
  if (!existsSync(before) || existsSync(now)) return
  // What a cluster has agreed on names the account.
  if (clustered) throw new Fault(`The streams in ${storeFolder} are of an earlier version, which a cluster cannot take over: begin anew with --fresh.`)
  renameSync(before, now)
}
