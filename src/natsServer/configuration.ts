import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsKeys } from '../enclave/natsKeys.ts'
import { limits } from '../protocol/limits.ts'

/** Where nats.conf and cluster.conf are, here and in the image. */
const templates = join(import.meta.dirname, '..', '..', 'deploy', 'nats')
const LOOPBACK = '127.0.0.1'

const FILE_STORE_bytes = 68_719_476_736
/** Places for the venue's own processes beside the traders' connections. */
const OWN_CONNECTIONS = 1_024

export interface NatsSettings {
  /** Name of the server. */
  readonly name: string
  readonly port: number
  readonly storeFolder: string
  /** Name of the venue: part of the subjects. */
  readonly venue: string
  readonly user: string
  readonly keys: NatsKeys
  /** Where it is one of several: the ports on which they speak to each other, its own first. */
  readonly cluster?: { readonly routePort: number; readonly routePorts: readonly number[] }
}

/** The configuration of a nats-server, from deploy/nats. */
export function natsConfiguration({ name, port, storeFolder, venue, user, keys, cluster }: NatsSettings): string {
  const { password } = keys
  const server = fill(join(templates, 'nats.conf'), {
    name,
    port: String(port),
    venue,
    max_payload: String(limits.packetBytes),
    max_connections: String(limits.natsConnections + OWN_CONNECTIONS),
    max_trader_connections: String(limits.natsConnections),
    max_trader_subscriptions: String(limits.natsSubscriptions),
    max_trader_payload: String(limits.natsPayloadBytes),
    user,
    password,
    traders_nkey: keys.traders.address,
    system_nkey: keys.system.address,
    issuer: keys.issuer.address,
    exchange: keys.exchange.address,
    store_dir: JSON.stringify(storeFolder),
    max_file_store: String(FILE_STORE_bytes),
  })
  if (cluster === undefined) return server
  const routes = cluster.routePorts.map((other) => `nats://${user}:${password}@${LOOPBACK}:${other}`)
  return `${server}\n${fill(join(templates, 'cluster.conf'), { cluster: 'darkpool', route_port: String(cluster.routePort), user, password, routes: JSON.stringify(routes) })}`
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
            if (value === undefined) throw new Error(`${template} asks for {{${name}}}, which nobody gives`)
            used.add(name)
            return value
          }),
    )
    .join('\n')
  const unused = Object.keys(values).filter((name) => !used.has(name))
  if (unused.length > 0) throw new Error(`${template} has no place for ${unused.join(', ')}`)
  return text
}
