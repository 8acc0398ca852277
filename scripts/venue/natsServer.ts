import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../setup/fault.ts'
import { paths } from '../setup/paths.ts'
import { natsConfiguration } from './natsConfiguration.ts'
import type { NatsSettings } from './natsConfiguration.ts'
import { answers } from './ports.ts'
import type { ServerPlan } from './serverProcess.ts'
import { writeDurably } from './stateFolder.ts'
import type { StateFolder } from './stateFolder.ts'

/**
 * A nats-server of a local venue, configured from deploy/nats.
 * @param node its name, where it is one of several
 * @param within what starts it: a command whose last arguments are the program and its own
 */
export function natsServer(state: StateFolder, settings: Omit<NatsSettings, 'name' | 'storeFolder'>, node?: string, within: readonly string[] = []): ServerPlan {
  const suffix = node === undefined ? '' : `-${node}`
  const configuration = state.file(`nats${suffix}.conf`)
  const storeFolder = state.file(`nats${suffix}`)
  const [command = paths.natsServer, ...before] = [...within, paths.natsServer]
  return {
    name: `nats-server${suffix}`,
    command,
    args: () => {
      adopt(storeFolder, settings.cluster !== undefined)
      writeDurably(configuration, natsConfiguration({ ...settings, name: `darkpool-local${suffix}`, storeFolder }))
      return [...before, '--config', configuration]
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
