import { constants, setPriority } from 'node:os'
import { workerData } from 'node:worker_threads'
import { expose } from 'comlink'
import { givenKeys } from '../enclave/givenKeys.ts'
import { journalKeys } from '../enclave/journalKeys.ts'
import type { ActorName } from '../protocol/identity.ts'
import { limits } from '../protocol/limits.ts'
import { venueOf } from '../protocol/venueMeaning.ts'
import { endpointOf } from './control.ts'
import { exitCodes } from './exitCodes.ts'
import { createRole } from './roles.ts'
import { systemClock } from './runtime/clock.ts'
import { JetStreamJournal } from './runtime/jetstreamJournal.ts'
import { JetStreamSnapshots } from './runtime/jetstreamSnapshots.ts'
import { JournalFault } from './runtime/journalFault.ts'
import { jsonLog, sentence } from './runtime/log.ts'
import { systemRandom } from './runtime/random.ts'
import { replicaOf } from './runtime/replica.ts'
import { isOutdated } from './runtime/resealing.ts'
import { SealedEnvelope } from './runtime/sealedEnvelope.ts'
import { takeSnapshot } from './runtime/snapshotter.ts'
import { connectNats } from './runtime/transport.ts'
import type { SnapshotControl, SnapshotData } from './snapshotControl.ts'

// The entry of the worker thread that takes the snapshots of a shard's actors, one at a time. It works beside the actors, never in them, and
// gives way to them: on Linux a priority is a thread's own.

const data = workerData as SnapshotData
const log = jsonLog({ thread: 'snapshots' })
try {
  setPriority(constants.priority.PRIORITY_LOW)
} catch (error) {
  log.warn('snapshots', 'the priority cannot be lowered', { reason: sentence(error) })
}
const connection = await connectNats(data.nats, 'snapshots').catch((error: unknown) => {
  log.error('snapshots', 'no connection', { reason: sentence(error) })
  return process.exit(exitCodes.unavailable)
})
const venue = venueOf(data.venue)
const { subjects } = venue
const keys = givenKeys(data.secrets)
const journals = await journalKeys(keys, venue.file)
const journalOf = (actor: ActorName) => new JetStreamJournal(connection, subjects.journalStream, subjects.journal(actor), log)
const storeOf = (actor: ActorName) => new JetStreamSnapshots(connection, subjects, actor)

const control: SnapshotControl = {
  take: async (actor, least) => {
    const { machine } = await createRole(actor, { venue, keys, log, settlementModule: data.settlementModule })
    const envelope = (kind: 'record' | 'snapshot') => new SealedEnvelope({ keys: journals, venue: subjects.venue, actor, kind, random: systemRandom })
    try {
      return await takeSnapshot(
        {
          replica: replicaOf(actor, machine, envelope('record'), subjects, systemClock, log),
          journal: journalOf(actor),
          shelf: { store: storeOf(actor), envelope: envelope('snapshot') },
          kept: limits.snapshots,
          random: systemRandom,
          log,
        },
        least,
      )
    } catch (error) {
      // As what it is: an error that comes from another thread is only its text.
      if (error instanceof JournalFault) return { fault: { kind: error.kind, record: error.record, what: error.what } }
      throw error
    }
  },
  outdated: (actor) => isOutdated(journalOf(actor), { store: storeOf(actor) }, journals),
}
expose(control, endpointOf(data.port))
