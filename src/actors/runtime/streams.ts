import { setTimeout as delay } from 'node:timers/promises'
import { DiscardPolicy, jetstreamManager, JetStreamApiError, PersistMode, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream'
import { errors, nanos } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { limits } from '../../protocol/limits.ts'
import type { Subjects } from '../../protocol/subjects.ts'

const NAME_IN_USE = 10058
const NO_SUITABLE_PEERS = 10005
const TEMPORARILY_UNAVAILABLE = 10008
const forming_ms = 30_000
const again_ms = 250
const feedAge_ms = 7 * 24 * 3_600_000
const feedBytes = 8 * 1024 ** 3
/** Longer than feeds are: whoever has the fill gets the receipt. */
const receiptAge_ms = 8 * 24 * 3_600_000
// A trade has two leaves of 72 bytes, where feeds tell of it in more than a kilobyte: what is kept of feeds fits. The store sets all of it aside at once.
const receiptBytes = 2 * 1024 ** 3
const tapeAge_ms = 31 * 24 * 3_600_000
const tapeBytes = 256 * 1024 ** 2

/**
 * Makes the venue's streams where they are not there yet.
 *
 * The journal is the truth: a file, synced before each acknowledgement (the server's `sync_interval: always`), nothing dropped by age or
 * size and no message deleted from the middle (`deny_delete`); a full stream refuses instead. Purging is not denied: it lets the beginning of
 * an actor's journal go once three snapshots reach beyond it, and a stream that denies it once denies it for ever. So whoever has the venue's
 * NATS password could empty a journal. They could stop its server too; what they cannot do is make it say something else, and an actor whose
 * journal has lost its beginning or its end does not start. Its duplicate window is as short as it may be: what stops a second append is the expected
 * sequence, and the message id is only read back to tell whose record stands last.
 *
 * Snapshots are synced as well: a record is let go because they hold what it did. A subject is one snapshot, in pieces; old ones are purged.
 *
 * The feed is a copy for readers: whatever it has not acknowledged is published again, and once it was away what it acknowledged in the last seconds as well
 * (`feed.ts`), since a server that is killed loses what it had not written. So it is
 * acknowledged before it is synced (`persist_mode: async`): a synced stream stores about 10,500 messages a second in bursts of 10 and
 * 15,000 in bursts of 100; this one 75,000 and 245,000. Message ids would halve that again, hence none: `seq` tells readers a repeat.
 *
 * The tape is kept in the same way, in a stream of its own: what is in it is public. The leaves of batches, of which receipts are made, have one too; they are for gateways alone.
 */
export async function ensureStreams(connection: NatsConnection, subjects: Subjects, replicas = 1): Promise<void> {
  const manager = await jetstreamManager(connection, { checkAPI: false })
  await ensure(manager, {
    name: subjects.journalStream,
    subjects: [subjects.allJournals],
    storage: StorageType.File,
    num_replicas: replicas,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_msg_size: limits.packetBytes,
    duplicate_window: nanos(1_000),
    deny_delete: true,
    allow_direct: true,
  })
  await ensure(manager, {
    name: subjects.snapshotStream,
    subjects: [subjects.allSnapshots],
    storage: StorageType.File,
    num_replicas: replicas,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_msg_size: limits.packetBytes,
    duplicate_window: nanos(1_000),
    allow_direct: true,
  })
  const publication = {
    storage: StorageType.File,
    num_replicas: replicas,
    // Only a stream with one copy can be told so; one with more takes bursts as a whole instead (jetstreamFeed.ts), and syncs them.
    ...(replicas === 1 ? { persist_mode: PersistMode.Async } : { allow_atomic: true }),
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    duplicate_window: nanos(1_000),
    allow_direct: true,
  }
  await ensure(manager, { ...publication, name: subjects.feedStream, subjects: [subjects.allFeeds], max_age: nanos(feedAge_ms), max_bytes: feedBytes })
  await ensure(manager, { ...publication, name: subjects.tapeStream, subjects: [subjects.allTapes], max_age: nanos(tapeAge_ms), max_bytes: tapeBytes })
  await ensure(manager, { ...publication, name: subjects.receiptStream, subjects: [subjects.allReceipts], max_age: nanos(receiptAge_ms), max_bytes: receiptBytes })
}

/** A stream that is there keeps the configuration it has: an operator may have given it replicas or another size. */
async function ensure(manager: JetStreamManager, config: Partial<StreamConfig> & { name: string }): Promise<void> {
  for (const end = Date.now() + forming_ms; ; await delay(again_ms)) {
    try {
      await manager.streams.add(config)
      return
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === NAME_IN_USE) return
      if (Date.now() > end || !isForming(error)) throw error
    }
  }
}

/** A cluster that has just been started has no leader yet, or has not seen all its servers. */
function isForming(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code === NO_SUITABLE_PEERS || error.code === TEMPORARILY_UNAVAILABLE
  return error instanceof errors.TimeoutError || error instanceof errors.NoRespondersError || (error instanceof errors.RequestError && error.isNoResponders())
}
