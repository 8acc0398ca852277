import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../setup/fault.ts'
import { natsConfiguration } from '../../src/natsServer/configuration.ts'
import type { NatsSettings } from '../../src/natsServer/configuration.ts'
import { answers } from './ports.ts'
import type { Start } from './programs.ts'
import type { ServerPlan } from './serverProcess.ts'
import { writeDurably } from './stateFolder.ts'
import type { StateFolder } from './stateFolder.ts'

/**
 * A nats-server of a local venue, configured from deploy/nats.
 * @param node its name, where it is one of several
 */
export function natsServer(state: StateFolder, settings: Omit<NatsSettings, 'name' | 'storeFolder'>, start: Start, node?: string): ServerPlan {
  const suffix = node === undefined ? '' : `-${node}`
  const configuration = state.file(`nats${suffix}.conf`)
  const storeFolder = state.file(`nats${suffix}`)
  return {
    name: `nats-server${suffix}`,
    start,
    args: () => {
      adopt(storeFolder, settings.cluster !== undefined)
      writeDurably(configuration, natsConfiguration({ ...settings, name: `darkpool-local${suffix}`, storeFolder }))
      return ['--config', configuration]
    },
    log: state.file('logs', `nats-server${suffix}.log`),
    ipc: false,
    // It greets every connection once it serves.
    serves: () => answers(settings.port, true),
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
