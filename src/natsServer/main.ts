import { spawn } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readNodes } from '../configuration/nodes.ts'
import type { Nodes } from '../configuration/nodes.ts'
import { openVenue } from '../configuration/venueFile.ts'
import { natsCertificates } from '../enclave/natsAuthority.ts'
import { natsKeys } from '../enclave/natsKeys.ts'
import { openKeys } from '../enclave/openKeys.ts'
import type { VenueFile } from '../protocol/venue.ts'
import { natsConfiguration } from './configuration.ts'
import { renewTlsFiles } from './tlsFiles.ts'

// nats-server in an enclave: asks the key holder for the keys and starts the server with its configuration. The venue's password stands in it, so it is
// written to memory only, where this user alone can read it, and is in no environment or argument.
//   node src/natsServer/main.ts --venue FILE --keys KEYS --store FOLDER --run FOLDER [--port N] [--program nats-server] [--node NAME --nodes LIST [--route-port N]]
// FOLDER of --run is a tmpfs. LIST names every node of a venue on several machines as NAME=HOST:PORT, where the nats-servers of the others reach that one's. Where the venue file has
// `nats.tls`, the certificate is renewed while the server runs. It ends as the server does, and passes SIGTERM and SIGINT on.

const exits = { failed: 1, configuration: 2 } as const
const USAGE = 'usage: node src/natsServer/main.ts --venue FILE --keys KEYS --store FOLDER --run FOLDER [--port N] [--program nats-server] [--node NAME --nodes LIST [--route-port N]]'
/** Linux's number for tmpfs (statfs(2)). */
const TMPFS = 0x01021994
const EVERYWHERE = '0.0.0.0'
const HOUR_MS = 3_600_000
/** A certificate is good for a week: what fails for six days, and is said each hour, ends no connection. */
const RENEWAL_MS = 24 * HOUR_MS

function giveUp(exit: keyof typeof exits, sentence: string): never {
  process.stderr.write(`nats-server: ${sentence}\n`)
  process.exit(exits[exit])
}

interface Ready {
  readonly program: string
  readonly file: string
  /** Writes a new key and certificate; null where there are none. */
  readonly renew: (() => Promise<unknown>) | null
}

function portOf(name: string, text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text) || Number(text) > 65_535) throw new Error(`--${name} ${text} is no port number`)
  return Number(text)
}

function nodesOf({ nats }: VenueFile, node: string | undefined, list: string | undefined): Nodes | null {
  if (list === undefined) return null
  if (node === undefined) throw new Error('--nodes without --node: which of them is this?')
  if (nats.tls === undefined) throw new Error('--nodes: the venue file must have `nats.tls`, or what passes between the machines could be read')
  if (nats.replicas !== 3) throw new Error('--nodes: the venue file must have `nats.replicas: 3`, or the loss of one machine is the loss of what it kept')
  return readNodes(list, node)
}

/** Names and addresses of this server in its certificate. */
function hostsOf({ nats: { addresses = [] } }: VenueFile, nodes: Nodes | null): readonly string[] {
  const named = addresses.map((address) => new URL(address.replace(/^[a-z]+:/, 'https:')).hostname)
  const own = nodes === null ? [] : [nodes.own.host]
  return ['127.0.0.1', 'localhost', ...own, ...named].filter((host) => isIP(host) !== 6 && !host.startsWith('['))
}

/** The configuration's file, and the program that reads it. */
async function configure(): Promise<Ready> {
  try {
    const { values } = parseArgs({
      options: {
        venue: { type: 'string' }, keys: { type: 'string' }, store: { type: 'string' }, run: { type: 'string' }, port: { type: 'string', default: '4222' }, program: { type: 'string', default: 'nats-server' },
        node: { type: 'string' }, nodes: { type: 'string' }, 'route-port': { type: 'string', default: '6222' },
      },
    })
    const { venue: venueFile, keys: keysOption, store, run, program } = values
    if (venueFile === undefined || keysOption === undefined || store === undefined || run === undefined) throw new Error(USAGE)
    const [port, routePort] = [portOf('port', values.port), portOf('route-port', values['route-port'])]
    if (statfsSync(run).type !== TMPFS) throw new Error(`--run ${run} is not in memory (tmpfs): a disk would keep the password that is written there`)
    const { file: venue } = openVenue(venueFile)
    const nodes = nodesOf(venue, values.node, values.nodes)
    const keys = await openKeys(keysOption, venue)
    const name = `darkpool-${venue.venue}${nodes === null ? '' : `-${nodes.own.name}`}`
    const settings = { name, port, storeFolder: store, venue: venue.venue, user: venue.nats.user, keys: await natsKeys(keys) }
    const renew = venue.nats.tls === undefined ? null : () => renewTlsFiles(join(run, 'tls'), natsCertificates(keys, venue), hostsOf(venue, nodes))
    const tls = await renew?.()
    const cluster = nodes && {
      host: EVERYWHERE,
      port: routePort,
      advertise: placeOf(nodes.own),
      routes: nodes.all.filter(({ name }) => name !== nodes.own.name).map(placeOf),
    }
    const text = natsConfiguration({ ...settings, ...(tls && { host: EVERYWHERE, tls: { ...tls, ...(cluster && { cluster }) } }) })
    const file = join(run, 'nats.conf')
    // Anew, so that its mode is what it is written with.
    rmSync(file, { force: true })
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    return { program, file, renew }
  } catch (error) {
    return giveUp('configuration', (error as Error).message)
  }
}

const placeOf = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`

const { program, file, renew } = await configure()
const server = spawn(program, ['--config', file], { stdio: ['ignore', 'inherit', 'inherit'] })
server.once('error', (error) => giveUp('failed', `${program} cannot be started (${error.message})`))
server.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGTERM' || signal === 'SIGINT' ? 0 : exits.failed)))
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => server.kill(signal))

let next: NodeJS.Timeout | undefined
/** Connections that are there stay; those that come are shown the new certificate. */
async function renewCertificate(write: () => Promise<unknown>): Promise<void> {
  clearTimeout(next)
  let after_ms = RENEWAL_MS
  try {
    await write()
    server.kill('SIGHUP')
  } catch (error) {
    process.stderr.write(`nats-server: its certificate cannot be renewed: ${(error as Error).message}\n`)
    after_ms = HOUR_MS
  }
  next = setTimeout(() => void renewCertificate(write), after_ms)
}
if (renew !== null) {
  next = setTimeout(() => void renewCertificate(renew), RENEWAL_MS)
  process.on('SIGHUP', () => void renewCertificate(renew))
}
