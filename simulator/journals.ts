import { Appender, InDoubt } from '../src/actors/runtime/appender.ts'
import type { RecordStore } from '../src/actors/runtime/appender.ts'
import type { Journal, JournalEntry } from '../src/actors/runtime/journal.ts'
import { JournalFault } from '../src/actors/runtime/journalFault.ts'
import type { Log } from '../src/actors/runtime/log.ts'
import type { ActorName } from '../src/protocol/identity.ts'
import type { Circumstances } from './circumstances.ts'
import { damaged } from './damage.ts'
import { never } from './host.ts'
import type { Host } from './host.ts'
import type { Random } from './random.ts'

/** What the JetStream journal waits for an answer. */
const TIMEOUT_us = 2_000_000
/** How long the store knows an id that it has stored. */
const DUPLICATE_us = 1_000_000
const WIRE_us = { least: 40, most: 200 }
const SYNC_us = { least: 100, most: 900 }
const SLOW_us = { least: 50_000, most: 4_000_000 }
const LATE_us = { least: 500_000, most: 6_000_000 }
/** Why a host may end whose last record came damaged. */
export const DAMAGED = 'a record was damaged'
/** Records that a reader gets at a time. */
const FETCHED = 32

export interface StoredRecord {
  readonly position: number
  readonly id: string
  readonly record: Uint8Array
  readonly writer: Host
  readonly at_us: number
}

/** Called as a record is stored. */
export type Stored = (actor: ActorName, stored: StoredRecord) => void

/** A stream of journals as JetStream keeps it: an append names its predecessor, and an id that was just stored is not stored again. */
export class JournalStream {
  readonly #circumstances: Circumstances
  readonly #random: Random
  readonly #stored: Stored
  readonly #journals = new Map<ActorName, StoredRecord[]>()
  /** Up to where a journal was let go. */
  readonly #forgotten = new Map<ActorName, number>()
  readonly #written = new Map<ActorName, number>()
  #position = 0
  /** Until when the disk is slow, and until when there is no room. */
  slowUntil_us = 0
  fullUntil_us = 0

  constructor(circumstances: Circumstances, stored: Stored) {
    this.#circumstances = circumstances
    this.#random = circumstances.random.fork('journals')
    this.#stored = stored
  }

  /** Records behind `after`, also those that were let go: for whoever checks, not for actors. */
  archive(actor: ActorName, after = 0): readonly StoredRecord[] {
    const journal = this.#journal(actor)
    return journal.slice(journal.findLastIndex(({ position }) => position <= after) + 1)
  }

  /** Where the last record stands; 0 where there is none. */
  end(actor: ActorName): number {
    return this.#journal(actor).at(-1)?.position ?? 0
  }

  /** Bytes that were ever stored. */
  written(actor: ActorName): number {
    return this.#written.get(actor) ?? 0
  }

  /** Whoever checks has seen everything up to `position`: what actors have let go as well is gone. */
  archived(actor: ActorName, position: number): void {
    const until = Math.min(position, this.#forgotten.get(actor) ?? 0)
    const journal = this.#journal(actor)
    journal.splice(0, journal.findLastIndex((stored) => stored.position <= until) + 1)
  }

  /** Forgets the last record, acknowledged or not: what a disk does that says "synced" and is not. */
  lose(actor: ActorName): void {
    this.#journal(actor).pop()
  }

  /** Records that an actor can still read. */
  records(actor: ActorName): readonly StoredRecord[] {
    const forgotten = this.#forgotten.get(actor) ?? 0
    return this.#journal(actor).filter(({ position }) => position > forgotten)
  }

  journal(actor: ActorName, host: Host, log: Log, change: (store: RecordStore) => RecordStore = (store) => store): Journal {
    const store = change(this.store(actor, host))
    const appender = new Appender(store, actor, `${host.name}`, host.clock, log)
    let last = 0
    const replay = (after: number): AsyncIterable<JournalEntry> => {
      last = Math.max(last, after)
      return this.#read(actor, host, last, (position) => (last = position))
    }
    return {
      replay: (after = 0) => replay(after),
      append: async (record) => void (last = await appender.append(record, last)),
      forget: (position) => this.#request(host, 'forget', () => this.#forget(actor, position), 0),
    }
  }

  /** The end of a journal as one host reaches it. */
  store(actor: ActorName, host: Host): RecordStore {
    return {
      append: (record, id, after) => this.#request(host, 'append', () => this.#append(actor, host, record, id, after), this.#disk_us()),
      last: () => this.#request(host, 'read last', () => this.#journal(actor).at(-1) ?? null, 0),
    }
  }

  /** A call and its answer, each of which can be lost; the caller waits only so long. */
  #request<Value>(host: Host, what: string, serve: () => Value, work_us: number): Promise<Value> {
    if (!host.reach()) return never()
    const { scheduler, plan, faults } = this.#circumstances
    const random = this.#random
    const appends = what === 'append'
    const hit = (chance: number, fault: string): boolean => appends && random.chance(chance) && (faults.add(fault), true)
    return new Promise<Value>((resolve, reject) => {
      const giveUp = host.after(TIMEOUT_us, `${what}: no answer`, () => reject(new InDoubt(new Error('no answer in time'))))
      const answer = (settle: () => void): void => {
        if (hit(plan.append.answerLost, 'append stored, answer lost')) return
        host.after(random.between(WIRE_us.least, WIRE_us.most), `${what}: answer`, () => {
          if (!host.connected) return
          giveUp()
          settle()
        })
      }
      if (!host.connected || hit(plan.append.requestLost, 'append lost')) return
      if (hit(plan.append.busy, 'append refused for now')) return answer(() => reject(new InDoubt(new Error('the store is not available'))))
      if (hit(plan.append.refused, 'append refused')) {
        host.excuse = 'an append was refused'
        return answer(() => reject(new Error('the store refuses')))
      }
      let way_us = random.between(WIRE_us.least, WIRE_us.most) + work_us
      if (hit(plan.append.slow, 'append slow')) way_us += random.between(SLOW_us.least, SLOW_us.most)
      if (hit(plan.append.late, 'append late')) way_us += random.between(LATE_us.least, LATE_us.most)
      // On its way it no longer depends on who sent it.
      scheduler.after(way_us, what, host.name, () => {
        try {
          const value = serve()
          answer(() => resolve(value))
        } catch (error) {
          answer(() => reject(error instanceof Error ? error : new Error(String(error))))
        }
      })
    })
  }

  #append(actor: ActorName, writer: Host, record: Uint8Array, id: string, after: number): number {
    const { scheduler } = this.#circumstances
    const journal = this.#journal(actor)
    for (let at = journal.length - 1; at >= 0 && scheduler.now_us - journal[at]!.at_us <= DUPLICATE_us; at--) {
      if (journal[at]!.id === id) return journal[at]!.position
    }
    if (scheduler.now_us < this.fullUntil_us) throw new InDoubt(new Error('the stream is full'))
    const last = this.end(actor)
    if (last !== after) throw new InDoubt(new Error(`the last record stands at ${last}`))
    return this.put(actor, writer, record, id)
  }

  /** Stores a record, whatever came before. */
  put(actor: ActorName, writer: Host, record: Uint8Array, id: string): number {
    const { scheduler, trace } = this.#circumstances
    const stored = { position: ++this.#position, id, record, writer, at_us: scheduler.now_us }
    this.#journal(actor).push(stored)
    this.#written.set(actor, this.written(actor) + record.length)
    trace.bytes(record)
    this.#stored(actor, stored)
    return stored.position
  }

  #forget(actor: ActorName, position: number): void {
    this.#forgotten.set(actor, Math.max(position, this.#forgotten.get(actor) ?? 0))
  }

  async *#read(actor: ActorName, host: Host, after: number, read: (position: number) => void): AsyncGenerator<JournalEntry> {
    const { plan, faults } = this.#circumstances
    const end = await this.#request(host, 'read last', () => this.end(actor), 0).catch((error: unknown) => {
      // Cut off while it starts: it ends, and is started again.
      host.excuse = 'its journal could not be reached'
      throw error
    })
    if (end < after) throw new JournalFault('end_missing', null, `${actor} ends at ${end}, its records were known up to ${after}`)
    // Whoever is held up for long may find that the journal was let go behind a newer snapshot than the one it began from.
    if (after < (this.#forgotten.get(actor) ?? 0)) host.excuse = 'its journal was let go meanwhile'
    if (this.#random.chance(plan.replay.failed)) {
      faults.add('reading failed')
      host.excuse = 'a journal could not be read'
      throw new InDoubt(new Error('no answer in time'))
    }
    const damages = this.#random.chance(plan.replay.damaged)
    const entries = this.records(actor).filter(({ position }) => position > after && position <= end)
    for (let at = 0; at < entries.length; at++) {
      if (at % FETCHED === 0) await new Promise<void>((resolve) => void host.after(this.#random.between(WIRE_us.least, WIRE_us.most), 'records', resolve))
      if (!host.reach()) await never()
      const { position, record } = entries[at]!
      read(position)
      yield { position, record: damages && at === entries.length - 1 ? this.#damage(host, record) : record }
    }
  }

  #damage(host: Host, record: Uint8Array): Uint8Array {
    this.#circumstances.faults.add('last record damaged')
    host.excuse = DAMAGED
    return damaged(record, this.#random)
  }

  #disk_us(): number {
    const { scheduler } = this.#circumstances
    const slow = scheduler.now_us < this.slowUntil_us
    return slow ? this.#random.between(SLOW_us.least, SLOW_us.most) : this.#random.between(SYNC_us.least, SYNC_us.most)
  }

  #journal(actor: ActorName): StoredRecord[] {
    let journal = this.#journals.get(actor)
    if (journal === undefined) {
      journal = []
      this.#journals.set(actor, journal)
    }
    return journal
  }
}
