import { readFileSync } from 'node:fs'
import { limits } from '../../src/protocol/limits.ts'
import { Fault } from '../setup/fault.ts'
import { paths } from '../setup/paths.ts'
import { answers, LOOPBACK } from './ports.ts'
import type { ServerPlan } from './serverProcess.ts'
import { writeDurably } from './stateFolder.ts'
import type { StateFolder } from './stateFolder.ts'

const FILE_STORE_bytes = 68_719_476_736

export interface NatsSettings {
  readonly port: number
  readonly user: string
  readonly password: string
  /** Where it is one of several: its own name among them, and the ports on which they speak to each other. */
  readonly cluster?: { readonly node: string; readonly routePort: number; readonly routePorts: readonly number[] }
}

/** A nats-server of a local venue, configured from deploy/nats. */
export function natsServer(state: StateFolder, settings: NatsSettings): ServerPlan {
  const { cluster, user, password } = settings
  const suffix = cluster ? `-${cluster.node}` : ''
  const configuration = state.file(`nats${suffix}.conf`)
  return {
    name: `nats-server${suffix}`,
    command: paths.natsServer,
    args: () => {
      const server = fill(paths.natsTemplate, {
        name: `darkpool-local${suffix}`,
        port: String(settings.port),
        max_payload: String(limits.packetBytes),
        user,
        password,
        store_dir: JSON.stringify(state.file(`nats${suffix}`)),
        max_file_store: String(FILE_STORE_bytes),
      })
      writeDurably(configuration, cluster ? `${server}\n${together(cluster, user, password)}` : server)
      return ['--config', configuration]
    },
    log: state.file('logs', `nats-server${suffix}.log`),
    ipc: false,
    // It greets every connection once it serves.
    serves: () => answers(settings.port, true),
    grace_ms: 15_000,
  }
}

function together({ routePort, routePorts }: NonNullable<NatsSettings['cluster']>, user: string, password: string): string {
  const routes = routePorts.map((port) => `nats://${user}:${password}@${LOOPBACK}:${port}`)
  return fill(paths.natsClusterTemplate, { cluster: 'darkpool', route_port: String(routePort), user, password, routes: JSON.stringify(routes) })
}

/** Puts values into a template; a name without a value, or a value without a place, is a mistake. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  const used = new Set<string>()
  const text = readFileSync(template, 'utf8')
    .split('\n')
    .map((line) =>
      line.trimStart().startsWith('#')
        ? line
        : line.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
            const value = values[name]
            if (value === undefined) throw new Fault(`${template} asks for {{${name}}}, which nobody gives`)
            used.add(name)
            return value
          }),
    )
    .join('\n')
  const unused = Object.keys(values).filter((name) => !used.has(name))
  if (unused.length > 0) throw new Fault(`${template} has no place for ${unused.join(', ')}`)
  return text
}
