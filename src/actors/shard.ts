import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { NatsConnection } from '@nats-io/transport-node'
import { openVenue } from '../configuration/venueFile.ts'
import { journalKeyVersion } from '../enclave/journalKeys.ts'
import { venueNatsAccess } from '../enclave/natsAccess.ts'
import { openKeys } from '../enclave/openKeys.ts'
import { LastingReadings } from '../monitoring/lastingReadings.ts'
import { readMetricsAddress, serveMetrics } from '../monitoring/listener.ts'
import type { MetricsAddress } from '../monitoring/listener.ts'
import { ProcessMeters } from '../monitoring/processMeters.ts'
import type { NatsAccess } from '../protocol/natsAccess.ts'
import type { ActorName } from '../protocol/identity.ts'
import { nodeName } from '../protocol/subjects.ts'
import type { Venue } from '../protocol/venue.ts'
import { exitCodes } from './exitCodes.ts'
import { KvStore } from './placement/kvStore.ts'
import { Placement } from './placement/placement.ts'
import { systemClock } from './runtime/clock.ts'
import { jsonLog, sentence } from './runtime/log.ts'
import { ensureStreams } from './runtime/streams.ts'
import { connectNats } from './runtime/transport.ts'
import { serveShardCommands } from './shardCommands.ts'
import { SnapshotSchedule } from './snapshotSchedule.ts'
import { SnapshotThread } from './snapshotThread.ts'
import { StoreMeters } from './storeMeters.ts'
import { Supervisor } from './supervisor.ts'
import { ThreadKeys } from './threadKeys.ts'

// A shard: the process that runs some or all actors of a venue.
//   node src/actors/shard.ts --venue FILE --keys KEYS [--node a] [--actors vault.0,pair.XLM-USDC] [--metrics 9464]
// KEYS: unix:PATH, the shard's socket of the key holder, or the root file of a development venue.
// --metrics: the port of loopback, or ADDRESS:PORT, where operators read /metrics; nowhere unless given.
// Several shards of one venue are nodes with names of their own; they share its actors among them (placement/).
// To a parent with an IPC channel it says {type: 'ready'} when all actors that belong to it run, and it obeys {type: 'terminate', actor}. It drains and
// ends at SIGTERM, at SIGINT, and when such a parent is gone.

/** How long actors may take to finish, and the whole of it: whoever ends a container kills it after half a minute. Where the store is gone, nothing of it is quick. */
const drain_ms = 15_000
const leave_ms = 24_000
const log = jsonLog()

function leave(code: number, message: string): never {
  log.error('shard', message, { code })
  process.exit(code)
}

interface Arguments {
  readonly venue: string
  readonly keys: string
  readonly node: string
  readonly actors?: string
  readonly metrics: MetricsAddress | null
}

function readArguments(): Arguments {
  try {
    const { values } = parseArgs({ options: { venue: { type: 'string' }, keys: { type: 'string' }, node: { type: 'string', default: 'a' }, actors: { type: 'string' }, metrics: { type: 'string' } } })
    const { venue, keys, node, actors } = values
    const metrics = values.metrics === undefined ? null : readMetricsAddress(values.metrics)
    if (!nodeName.test(node)) leave(exitCodes.usage, `--node ${node}: 1–32 lower-case letters, digits and -`)
    if (venue !== undefined && keys !== undefined) return { venue, keys, node, metrics, ...(actors !== undefined && { actors }) }
  } catch (error) {
    leave(exitCodes.usage, sentence(error))
  }
  return leave(exitCodes.usage, 'usage: shard --venue FILE --keys KEYS [--node NAME] [--actors NAME,NAME] [--metrics [ADDRESS:]PORT]')
}

function configured(where: string): Venue {
  try {
    return openVenue(where)
  } catch (error) {
    return leave(exitCodes.configuration, sentence(error))
  }
}

function chosen(venue: Venue, list: string | undefined): readonly ActorName[] {
  if (list === undefined) return venue.actors
  const names = list.split(',') as ActorName[]
  const unknown = names.find((name) => !venue.actors.includes(name))
  return unknown === undefined ? names : leave(exitCodes.usage, `the venue has no actor ${unknown}`)
}

const { venue: venueFile, keys: keysOption, node, actors: list, metrics } = readArguments()
const venue = configured(venueFile)
const actors = chosen(venue, list)
let nats: NatsAccess
let threadKeys: ThreadKeys
try {
  const keys = await openKeys(keysOption, venue.file)
  threadKeys = await ThreadKeys.open(keys, venue, actors)
  nats = await venueNatsAccess(keys, venue.file)
} catch (error) {
  leave(exitCodes.configuration, sentence(error))
}
let store: KvStore
let connection: NatsConnection
try {
  const { replicas } = venue.file.nats
  connection = await connectNats(nats, `shard ${node}`)
  await ensureStreams(connection, venue.subjects, replicas)
  store = await KvStore.open(connection, venue.subjects, replicas ?? 1)
} catch (error) {
  leave(exitCodes.unavailable, sentence(error))
}

const data = { venue: venue.file, keys: threadKeys, nats, node, settlementModule: new URL('../settlement/host.ts', import.meta.url).href }
const supervisor = new Supervisor([], data, log, (actor) => placement.fenced(actor))
const instance = randomBytes(8).toString('hex')
const placement = new Placement({ node, instance, actors, store, host: supervisor, clock: systemClock, log, drain_ms, superseded: () => void superseded() })
const snapshotThread = new SnapshotThread(data, log)
const snapshots = new SnapshotSchedule({
  status: () => supervisor.status(),
  control: snapshotThread,
  distrust: (actor, fault) => supervisor.distrust(actor, fault),
  clock: systemClock,
  log,
  reseals: journalKeyVersion(venue.file) > 1,
})
const [meters, kept] = [new ProcessMeters(connection), new StoreMeters(connection, venue.file.nats.tls !== undefined, log)]
const readings = new LastingReadings(async () => {
  const [own, store, actors] = await Promise.all([meters.read(), kept.read(), supervisor.readings()])
  return [own, store, ...actors]
})
serveShardCommands({ connection, subjects: venue.subjects, node, snapshots, readings, log })
let draining = false
const drain = (why: string): void => {
  if (draining) return
  draining = true
  log.info('shard', 'draining', { why })
  setTimeout(() => leave(exitCodes.failed, 'not drained in time: it ends as it is, and its leases lapse'), leave_ms).unref()
  snapshots.stop()
  void Promise.all([placement.leave(), snapshotThread.stop()]).then(async () => {
    await connection.close()
    log.info('shard', 'drained')
    process.exit(exitCodes.drained)
  })
}

/** Whoever was started under our name has the leases by now; what runs here still would be fenced at its next append. */
async function superseded(): Promise<never> {
  draining = true
  snapshots.stop()
  await Promise.all([supervisor.abandonAll(), snapshotThread.stop()])
  return leave(exitCodes.fenced, 'another process has been started as this node')
}

process.on('SIGTERM', () => drain('SIGTERM'))
process.on('SIGINT', () => drain('SIGINT'))
process.on('disconnect', () => drain('the parent is gone'))
process.on('message', (message: { readonly type?: unknown; readonly actor?: unknown } | null) => {
  if (message?.type !== 'terminate' || typeof message.actor !== 'string') return
  const { actor } = message
  supervisor.terminate(actor as ActorName).catch((error: unknown) => log.warn('shard', 'cannot terminate', { actor, reason: sentence(error) }))
})

if (metrics !== null) {
  try {
    await serveMetrics(metrics, { readings, failed: (error) => log.error('shard', 'metrics cannot be read', { reason: sentence(error) }) })
  } catch (error) {
    leave(exitCodes.unavailable, sentence(error))
  }
}
log.info('shard', 'starting', { venue: venue.file.venue, node, actors: actors.length })
await placement.start()
log.info('shard', 'ready', { venue: venue.file.venue, node, actors: (await supervisor.status()).length })
process.send?.({ type: 'ready' })
