import { Actor } from '../../src/actors/runtime/actor.ts'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import { clearEnvelope } from '../../src/actors/runtime/envelope.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { JetStreamJournal } from '../../src/actors/runtime/jetstreamJournal.ts'
import type { Log } from '../../src/actors/runtime/log.ts'
import { systemRandom } from '../../src/actors/runtime/random.ts'
import { SealedEnvelope } from '../../src/actors/runtime/sealedEnvelope.ts'
import { JournalKeys } from '../../src/enclave/journalKeys.ts'
import { encode } from '../../src/protocol/codec.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { Subjects } from '../../src/protocol/subjects.ts'
import { Loopback } from './loopback.ts'
import type { BenchServer } from './server.ts'
import { Tally } from './tally.ts'
import { quantile, TimedJournal } from './timedJournal.ts'

/** Commands in one packet at most, as a gateway under load packs them. */
const PER_PACKET = 128
const WARM_UP_ms = 500
const DRAIN_ms = 5_000

export interface CommitCase {
  readonly sealed: boolean
  /** Commands that are under way at any time. */
  readonly inFlight: number
  readonly seconds: number
}

export interface Committed {
  readonly perSecond: number
  readonly perRecord: number
  readonly bytesPerEvent: number
  readonly commitP50_ms: number
  readonly commitP99_ms: number
}

/** Commands of about 100 bytes, a fixed number of them under way, through one actor: durable ones per second and the time of an append. */
export async function runCommits({ connection }: BenchServer, subjects: Subjects, name: ActorName, { sealed, inFlight, seconds }: CommitCase, log: Log): Promise<Committed> {
  const machine = new Tally()
  const journal = new TimedJournal(new JetStreamJournal(connection, subjects.journalStream, subjects.journal(name), log))
  const network = new Loopback()
  const envelope = sealed ? new SealedEnvelope({ keys: JournalKeys.only(systemRandom(32)), venue: subjects.venue, actor: name, kind: 'record', random: systemRandom }) : clearEnvelope
  const actor = new Actor({ name, machine, journal, transport: network, feed: new JetStreamFeed(connection, subjects), subjects, clock: systemClock, log, envelope })
  await actor.start()

  const perPacket = Math.min(inFlight, PER_PACKET)
  const command = { kind: 'place', id: 'f'.repeat(32), account: 'G'.repeat(40), ticks: 123_456, lots: 1_000, time: 1_800_000_000_000 }
  const packet = encode({ gateway: 'bench', items: Array.from({ length: perPacket }, (_, request) => ({ request, command: { ...command, ticks: request } })) })
  let sent = 0
  let stopped = false
  const subject = subjects.clients(name)
  actor.onDurable(() => {
    // What is durable makes room for as much that is new; it comes in after this turn, as from a socket.
    if (!stopped) setImmediate(fill)
  })
  function fill(): void {
    for (; !stopped && sent + perPacket - machine.count <= inFlight; sent += perPacket) network.deliver(subject, packet)
  }

  await new Promise((resolve) => setTimeout(resolve, WARM_UP_ms))
  journal.take()
  const [from, before] = [performance.now(), machine.count]
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  const [elapsed_ms, events] = [performance.now() - from, machine.count - before]
  stopped = true
  const { spans_ms, bytes } = journal.take()
  await actor.drain(DRAIN_ms)
  return {
    perSecond: (events / elapsed_ms) * 1_000,
    perRecord: events / spans_ms.length,
    bytesPerEvent: bytes / events,
    commitP50_ms: quantile(spans_ms, 0.5),
    commitP99_ms: quantile(spans_ms, 0.99),
  }
}
