import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { IMAGE_PATTERN } from '../../src/client/enclave/policy.ts'
import { readNodes } from '../../src/configuration/nodes.ts'
import { nodeName } from '../../src/protocol/subjects.ts'
import type { Venue } from '../../src/protocol/venue.ts'
import { Fault } from '../setup/fault.ts'
import { paths } from '../setup/paths.ts'

/** The port that the gateway's container serves, and that compose publishes. */
const GATEWAY_PORT = 8_443
const NATS_SERVER = '127.0.0.1:4222'
/** Published where nats-server speaks TLS: the one of traders and operators, and the one of the other VMs' servers. */
const NATS_PORT = 4_222
const ROUTE_PORT = 6_222
/** What those who verify a venue take for an image by its digest. */
const pinned = new RegExp(IMAGE_PATTERN)

export interface Deployment {
  /** By digest: NAME@sha256:… */
  readonly image: string
  readonly venue: Venue
  /** Name of the shard, where it is the venue's only one: of three each VM is told its own. */
  readonly node?: string
  /** The VM's port at which the gateway is reached. */
  readonly port: number
}

/** What a VM is made from, as its quote will have it. */
export interface AppCompose {
  /** docker-compose.yaml, which is also in `text`. */
  readonly compose: string
  /** app-compose.json: these bytes are what is hashed. */
  readonly text: string
  /** Lower-case hexadecimal: the payload of the quote's event `compose-hash`. */
  readonly hash: string
}

/** What each VM is told by encrypted environment, whose names are part of what is hashed. */
const NODE_ENVIRONMENT = ['DARKPOOL_NODE', 'DARKPOOL_NODES'] as const
const ALONE = 'a'

/** Three VMs with three copies of each stream, or one. */
const isCluster = ({ file }: Venue): boolean => file.nats.replicas === 3

/** @throws Fault where the venue cannot run in a VM, or a name is none */
export function composeOf({ image, venue, node, port }: Deployment): string {
  const { file } = venue
  const must = (holds: boolean, sentence: string): void => {
    if (!holds) throw new Fault(sentence)
  }
  const cluster = isCluster(venue)
  must(pinned.test(image), `--image ${image}: an image is named by its digest (NAME@sha256:…), or what runs is not what was hashed`)
  must(node === undefined || !cluster, '--node: the VMs of a venue of three are the same, and each is told its name by DARKPOOL_NODE')
  must(node === undefined || nodeName.test(node), `--node ${node}: 1–32 lower-case letters, digits and -`)
  must(Number.isInteger(port) && port >= 1 && port <= 65_535, `--port ${port} is no port number`)
  must(file.enclave?.kind === 'dstack', 'the venue file must say {"enclave": {"kind": "dstack"}}: in a VM keys come from nowhere else')
  must(file.gateway.port === GATEWAY_PORT && file.gateway.host === '0.0.0.0', `the venue file's gateway must listen at 0.0.0.0, port ${GATEWAY_PORT}: that is what the VM publishes`)
  must(file.nats.servers.length === 1 && file.nats.servers[0] === NATS_SERVER, `the venue file's NATS must be ${NATS_SERVER}: the server in the VM`)
  const { tls, addresses } = file.nats
  must(!cluster || tls !== undefined, 'a venue file with `nats.replicas: 3` must have `nats.tls`: what passes between three VMs could be read')
  must(tls !== undefined || (addresses === undefined && venue.operators.size === 0), 'a venue file with `nats.addresses`, or with `operators`, must have `nats.tls`: the VM publishes no NATS that could be read')
  must(addresses !== undefined || venue.operators.size === 0, 'a venue file with `operators` must have `nats.addresses`: nobody would know where they reach it')
  const values: Readonly<Record<string, string>> = { image, node: node ?? ALONE, ports: publishedPorts(venue, port), venue: indented(JSON.stringify(file, null, 1)) }
  const template = join(paths.root, 'deploy', 'compose', cluster ? 'cluster.yaml' : 'shard.yaml')
  const text = readFileSync(template, 'utf8').replace(/\{\{([a-z]+)\}\}/g, (_, name: string) => values[name] ?? unknown(template, name))
  // The guest agent counts characters where it should count bytes.
  must(/^[\x20-\x7e\n]*$/.test(text), 'the venue file has a character beyond ASCII, which the guest agent cannot hand out')
  return text
}

/** As Docker Compose lists them: what is published speaks TLS from the first byte, but for a gateway whose venue file does not say so. */
function publishedPorts({ file }: Venue, port: number): string {
  const nats = file.nats.tls === undefined ? [] : [NATS_PORT, ...(file.nats.replicas === 3 ? [ROUTE_PORT] : [])]
  return [`${port}:${GATEWAY_PORT}`, ...nats.map((one) => `${one}:${one}`)].map((pair) => JSON.stringify(pair)).join(', ')
}

/** Nobody reads the VM's logs or its system from outside, and no environment is set from outside but which of three VMs it is: what runs is what stands here. */
export function appCompose(deployment: Deployment): AppCompose {
  const compose = composeOf(deployment)
  const { venue, node = ALONE } = deployment
  const cluster = isCluster(venue)
  const name = `darkpool-${venue.file.venue.toLowerCase()}`
  const text = JSON.stringify({
    manifest_version: 2,
    name: cluster ? name : `${name}-${node}`,
    runner: 'docker-compose',
    docker_compose_file: compose,
    kms_enabled: true,
    gateway_enabled: true,
    local_key_provider_enabled: false,
    key_provider_id: '',
    public_logs: false,
    public_sysinfo: false,
    public_tcbinfo: false,
    allowed_envs: cluster ? NODE_ENVIRONMENT : [],
    no_instance_id: false,
    secure_time: true,
  })
  return { compose, text, hash: createHash('sha256').update(text).digest('hex') }
}

/** What each VM of a venue of three is told: as lines of an environment file, by name. @throws Error with one clear sentence */
export function nodeEnvironments(list: string): ReadonlyMap<string, string> {
  const names = list.split(',').map((place) => place.split('=')[0]!.trim())
  const text = (name: string): string => `DARKPOOL_NODE=${name}\nDARKPOOL_NODES=${readNodes(list, name).all.map(({ name, host, port }) => `${name}=${host}:${port}`).join(',')}\n`
  return new Map(names.map((name) => [name, text(name)]))
}

/** A dollar sign begins a variable in a compose file. */
const indented = (json: string): string => json.replaceAll('$', '$$$$').replace(/^/gm, '  ')

function unknown(template: string, name: string): never {
  throw new Error(`${template} asks for {{${name}}}, which nobody gives`)
}
