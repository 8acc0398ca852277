import { setTimeout as delay } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { expose } from 'comlink'
import { feedKeys } from '../enclave/feedKeys.ts'
import { FeedSeal } from '../enclave/feedSeal.ts'
import { givenKeys } from '../enclave/givenKeys.ts'
import { journalKeys } from '../enclave/journalKeys.ts'
import { venueOf } from '../protocol/venueMeaning.ts'
import { ActorMeters } from './actorMeters.ts'
import { endpointOf } from './control.ts'
import type { HostControl, HostData } from './control.ts'
import { exitCodes } from './exitCodes.ts'
import { createRole } from './roles.ts'
import { Actor } from './runtime/actor.ts'
import { systemClock } from './runtime/clock.ts'
import type { Driver } from './runtime/driver.ts'
import { Fenced } from './runtime/journal.ts'
import { JournalFault } from './runtime/journalFault.ts'
import { JetStreamFeed } from './runtime/jetstreamFeed.ts'
import { JetStreamJournal } from './runtime/jetstreamJournal.ts'
import { JetStreamSnapshots } from './runtime/jetstreamSnapshots.ts'
import { jsonLog, sentence } from './runtime/log.ts'
import { systemRandom } from './runtime/random.ts'
import { SealedEnvelope } from './runtime/sealedEnvelope.ts'
import { connectNats, NatsTransport } from './runtime/transport.ts'

// The entry of a worker thread that hosts one actor.

const driverStop_ms = 3_000
const data = workerData as HostData
const log = jsonLog({ actor: data.actor })

const connection = await connectNats(data.nats, data.actor).catch((error: unknown) => {
  log.error('host', 'no connection', { reason: sentence(error) })
  return process.exit(exitCodes.unavailable)
})
const venue = venueOf(data.venue)
const keys = givenKeys(data.secrets)
const hosted = await createRole(data.actor, { venue, keys, log, settlementModule: data.settlementModule })
const { subjects } = venue
const journals = await journalKeys(keys, venue.file)
// Nobody else writes accounts' feeds.
const sealing = data.actor.startsWith('vault.') ? await feedKeys(keys, venue.file) : null
const envelope = (kind: 'record' | 'snapshot') => new SealedEnvelope({ keys: journals, venue: subjects.venue, actor: data.actor, kind, random: systemRandom })
const meters = new ActorMeters(data.actor)
const actor = new Actor({
  name: data.actor,
  node: data.node,
  machine: hosted.machine,
  journal: new JetStreamJournal(connection, subjects.journalStream, subjects.journal(data.actor), log),
  transport: new NatsTransport(connection),
  feed: new JetStreamFeed(connection, subjects, venue.file.nats.replicas, sealing && new FeedSeal(sealing)),
  subjects,
  clock: systemClock,
  log,
  patience_ms: hosted.patience_ms ?? 0,
  ...(hosted.bounds && { bounds: hosted.bounds }),
  ...(hosted.room && { room: hosted.room }),
  ...(hosted.alarms && { alarms: hosted.alarms }),
  envelope: envelope('record'),
  meter: meters,
  snapshots: { store: new JetStreamSnapshots(connection, subjects, data.actor), envelope: envelope('snapshot') },
})
let driver: Driver | undefined

void actor.ended.then(async (reason) => {
  // The driver waits for what it cannot abandon, but the next owner does not wait for it: what it does is safe to be cut off anywhere.
  await Promise.race([driver?.stop(), delay(driverStop_ms)])
  if (!connection.isClosed()) await connection.close()
  process.exit(exitCodeOf(reason))
})

const control: HostControl = {
  start: async () => {
    await actor.start()
    try {
      driver = hosted.drive?.(actor)
    } catch (error) {
      // One that nobody drives would say that it runs, and do nothing.
      log.error('host', 'no driver: something in the venue file is not what it needs', { reason: sentence(error) })
      process.exit(exitCodes.configuration)
    }
  },
  status: () => actor.status,
  readings: async () => meters.read(actor, (await hosted.readings?.()) ?? []),
  drain: async (limit_ms) => {
    await driver?.stop()
    driver = undefined
    await actor.drain(limit_ms)
  },
  distrust: ({ kind, record, what }) => actor.distrust(new JournalFault(kind, record, what)),
  stop: () => actor.stop(),
}
function exitCodeOf(reason: Error | null): number {
  if (reason === null) return exitCodes.drained
  if (reason instanceof Fenced) return exitCodes.fenced
  return reason instanceof JournalFault ? exitCodes.journal : exitCodes.failed
}

expose(control, endpointOf(data.port))
