import { Actor } from '../../src/actors/runtime/actor.ts'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import type { Envelope } from '../../src/actors/runtime/envelope.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { JetStreamJournal } from '../../src/actors/runtime/jetstreamJournal.ts'
import type { Log } from '../../src/actors/runtime/log.ts'
import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import { limits } from '../../src/protocol/limits.ts'
import type { PeerPacket } from '../../src/protocol/packets.ts'
import { pairActor, vaultActor } from '../../src/protocol/subjects.ts'
import type { Venue } from '../../src/protocol/venue.ts'
import { Loopback } from './loopback.ts'
import { MARKET, restingOrder } from './orders.ts'
import type { BenchServer } from './server.ts'
import { TimedJournal } from './timedJournal.ts'

/** Orders on their way to the actor: a few packets. */
const IN_FLIGHT = 16 * limits.packetItems

export interface Filled {
  readonly elapsed_s: number
  readonly records: number
  readonly bytes: number
}

/** One pair actor and its journal, given `orders` orders that all come to rest, by a vault actor that is only its packets and acknowledgements. */
export async function fillBook({ connection }: BenchServer, venue: Venue, envelope: Envelope, orders: number, log: Log): Promise<Filled> {
  const { subjects } = venue
  const [name, vault] = [pairActor(MARKET), vaultActor(0)]
  const market = venue.markets.get(MARKET)
  if (market === undefined) throw new Error('the venue has its market')
  const journal = new TimedJournal(new JetStreamJournal(connection, subjects.journalStream, subjects.journal(name), log))
  let heard = 0
  const network = new Loopback((subject, data) => {
    if (subject !== subjects.peers(vault)) return
    const { first, items } = decode<PeerPacket>(data)
    heard = Math.max(heard, first + items.length - 1)
  })
  const machine = new PairMachine(market, venue)
  const actor = new Actor({ name, machine, journal, transport: network, feed: new JetStreamFeed(connection, subjects), subjects, clock: systemClock, log, envelope })
  await actor.start()
  const time = systemClock.now()
  const from = performance.now()
  let sent = 0
  const { promise: full, resolve } = Promise.withResolvers<void>()
  const step = (): void => {
    if (heard > 0) network.deliver(subjects.acks(name), encode({ from: vault, position: heard }))
    while (sent < orders && sent - machine.book.size < IN_FLIGHT) {
      const count = Math.min(limits.packetItems, orders - sent)
      network.deliver(subjects.peers(name), encode({ from: vault, first: sent + 1, items: Array.from({ length: count }, (_, i) => restingOrder(sent + i + 1, time)) }))
      sent += count
    }
    if (heard >= orders) resolve()
  }
  actor.onDurable(() => void setImmediate(step))
  await Promise.race([full, actor.ended.then((reason) => Promise.reject(reason ?? new Error('the actor has ended')))])
  const elapsed_s = (performance.now() - from) / 1_000
  const { bytes } = journal.take()
  const { records } = actor.status
  actor.stop()
  if (machine.book.size !== orders) throw new Error(`${machine.book.size} orders rest, not ${orders}`)
  return { elapsed_s, records, bytes }
}
