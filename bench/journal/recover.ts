// One process of `bench/journal.ts`: makes a pair actor from what its predecessor left, as a new owner on a cold machine would, and says on
// standard output how long that took.
import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import { Actor } from '../../src/actors/runtime/actor.ts'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { JetStreamJournal } from '../../src/actors/runtime/jetstreamJournal.ts'
import { JetStreamSnapshots } from '../../src/actors/runtime/jetstreamSnapshots.ts'
import { systemRandom } from '../../src/actors/runtime/random.ts'
import { replicaOf } from '../../src/actors/runtime/replica.ts'
import { SealedEnvelope } from '../../src/actors/runtime/sealedEnvelope.ts'
import { takeSnapshot } from '../../src/actors/runtime/snapshotter.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { JournalKeys } from '../../src/enclave/journalKeys.ts'
import type { NatsAccess } from '../../src/protocol/natsAccess.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import { Loopback } from './loopback.ts'
import { benchVenue, MARKET } from './orders.ts'
import { stderrLog } from './stderrLog.ts'

export interface RecoverOrder {
  readonly venue: string
  readonly access: NatsAccess
  /** Hex. */
  readonly secret: string
  /** Recover an owner, or take a snapshot beside it. */
  readonly what: 'owner' | 'snapshot'
}

export interface RecoverResult {
  readonly elapsed_s: number
  readonly orders: number
  readonly restored: number
}

const { venue: venueName, access, secret, what } = JSON.parse(process.argv[2] ?? '') as RecoverOrder
const venue = benchVenue(venueName)
const { subjects } = venue
const name = pairActor(MARKET)
const market = venue.markets.get(MARKET)
if (market === undefined) throw new Error('the venue has its market')
const connection = await connectNats(access, 'recover')
const envelope = (kind: 'record' | 'snapshot') => new SealedEnvelope({ keys: JournalKeys.only(Buffer.from(secret, 'hex')), venue: subjects.venue, actor: name, kind, random: systemRandom })
const journal = new JetStreamJournal(connection, subjects.journalStream, subjects.journal(name), stderrLog)
const shelf = { store: new JetStreamSnapshots(connection, subjects, name), envelope: envelope('snapshot') }
const machine = new PairMachine(market, venue)

const from = performance.now()
let restored = 0
if (what === 'snapshot') {
  const replica = replicaOf(name, machine, envelope('record'), subjects, systemClock, stderrLog)
  await takeSnapshot({ replica, journal, shelf, kept: 3, random: systemRandom, log: stderrLog }, 1)
} else {
  const feed = new JetStreamFeed(connection, subjects)
  const actor = new Actor({ name, machine, journal, transport: new Loopback(), feed, subjects, clock: systemClock, log: stderrLog, envelope: envelope('record'), snapshots: shelf })
  await actor.start()
  restored = actor.status.restored
  actor.stop()
}
const result: RecoverResult = { elapsed_s: (performance.now() - from) / 1_000, orders: machine.book.size, restored }
process.stdout.write(`${JSON.stringify(result)}\n`)
await connection.close()
