import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsKeys } from '../enclave/natsKeys.ts'
import { limits } from '../protocol/limits.ts'
import type { TlsFiles } from './tlsFiles.ts'

/** Where nats.conf, tls.conf and cluster.conf are, here and in the image. */
const templates = join(import.meta.dirname, '..', '..', 'deploy', 'nats')
const LOOPBACK = '127.0.0.1'

const FILE_STORE_bytes = 68_719_476_736
/** Places for the venue's own processes beside the traders' connections. */
const OWN_CONNECTIONS = 1_024

/** How a nats-server speaks to the others of its cluster. */
export interface ClusterSettings {
  readonly host: string
  readonly port: number
  /** Where the others reach it, as host:port. */
  readonly advertise: string
  /** Where it reaches the others. */
  readonly routes: readonly string[]
}

export interface NatsSettings {
  /** Name of the server. */
  readonly name: string
  /** Loopback unless given. */
  readonly host?: string
  readonly port: number
  readonly storeFolder: string
  /** Name of the venue: part of the subjects. */
  readonly venue: string
  readonly user: string
  readonly keys: NatsKeys
  /** Where it speaks TLS: also to the others of its cluster, with whom it speaks nothing else. */
  readonly tls?: TlsFiles & { readonly cluster?: ClusterSettings }
}

/** The configuration of a nats-server, from deploy/nats. */
export function natsConfiguration({ name, host = LOOPBACK, port, storeFolder, venue, user, keys, tls }: NatsSettings): string {
  const { password } = keys
  const server = fill(join(templates, 'nats.conf'), {
    name,
    host,
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
  if (tls === undefined) return server
  const own = { certificate: JSON.stringify(tls.certificate), key: JSON.stringify(tls.key) }
  const secured = `${server}\n${fill(join(templates, 'tls.conf'), own)}`
  if (tls.cluster === undefined) return secured
  const { cluster } = tls
  const routes = cluster.routes.map((other) => `nats://${user}:${password}@${other}`)
  const values = { cluster: 'darkpool', host: cluster.host, port: String(cluster.port), advertise: cluster.advertise, authorities: JSON.stringify(tls.authorities), user, password, routes: JSON.stringify(routes) }
  return `${secured}\n${fill(join(templates, 'cluster.conf'), { ...own, ...values })}`
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
