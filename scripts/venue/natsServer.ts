import { readFileSync } from 'node:fs'
import { limits } from '../../src/protocol/limits.ts'
import { Fault } from '../setup/fault.ts'
import { paths } from '../setup/paths.ts'
import { answers } from './ports.ts'
import type { ServerPlan } from './serverProcess.ts'
import { writeDurably } from './stateFolder.ts'
import type { StateFolder } from './stateFolder.ts'

const FILE_STORE_bytes = 68_719_476_736

export interface NatsSettings {
  readonly port: number
  readonly user: string
  readonly password: string
}

/** The nats-server of a local venue, configured from deploy/nats/nats.conf. */
export function natsServer(state: StateFolder, settings: NatsSettings): ServerPlan {
  const configuration = state.file('nats.conf')
  return {
    name: 'nats-server',
    command: paths.natsServer,
    args: () => {
      writeDurably(
        configuration,
        fill(readFileSync(paths.natsTemplate, 'utf8'), {
          name: 'darkpool-local',
          port: String(settings.port),
          max_payload: String(limits.packetBytes),
          user: settings.user,
          password: settings.password,
          store_dir: JSON.stringify(state.file('nats')),
          max_file_store: String(FILE_STORE_bytes),
        }),
      )
      return ['--config', configuration]
    },
    log: state.file('logs', 'nats-server.log'),
    ipc: false,
    // It greets every connection once it serves.
    serves: () => answers(settings.port, true),
    grace_ms: 15_000,
  }
}

/** Puts values into a template; a name without a value, or a value without a place, is a mistake. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  const used = new Set<string>()
  const text = template
    .split('\n')
    .map((line) =>
      line.trimStart().startsWith('#')
        ? line
        : line.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
            const value = values[name]
            if (value === undefined) throw new Fault(`${paths.natsTemplate} asks for {{${name}}}, which nobody gives`)
            used.add(name)
            return value
          }),
    )
    .join('\n')
  const unused = Object.keys(values).filter((name) => !used.has(name))
  if (unused.length > 0) throw new Fault(`${paths.natsTemplate} has no place for ${unused.join(', ')}`)
  return text
}
