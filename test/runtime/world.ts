import { Actor } from '../../src/actors/runtime/actor.ts'
import type { ActorParts } from '../../src/actors/runtime/actor.ts'
import type { Clock } from '../../src/actors/runtime/clock.ts'
import { clearEnvelope } from '../../src/actors/runtime/envelope.ts'
import type { Heading } from '../../src/actors/runtime/envelope.ts'
import type { FeedStream, FeedText } from '../../src/actors/runtime/feed.ts'
import { Fenced } from '../../src/actors/runtime/journal.ts'
import type { Journal } from '../../src/actors/runtime/journal.ts'
import { JournalFault } from '../../src/actors/runtime/journalFault.ts'
import type { Log } from '../../src/actors/runtime/log.ts'
import type { Machine } from '../../src/actors/runtime/machine.ts'
import { decodeBody } from '../../src/actors/runtime/record.ts'
import type { RecordBody } from '../../src/actors/runtime/record.ts'
import { systemRandom } from '../../src/actors/runtime/random.ts'
import { replicaOf } from '../../src/actors/runtime/replica.ts'
import { takeSnapshot } from '../../src/actors/runtime/snapshotter.ts'
import type { Snapshotted } from '../../src/actors/runtime/snapshotter.ts'
import type { SnapshotStore, StoredSnapshot } from '../../src/actors/runtime/snapshotStore.ts'
import type { Transport } from '../../src/actors/runtime/transport.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { FeedMessage } from '../../src/protocol/feed.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import type { Answer, AnswerPacket, ClientItem } from '../../src/protocol/packets.ts'
import { Subjects } from '../../src/protocol/subjects.ts'

/** All microtasks and immediates that are due have run: nothing here waits for real I/O. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A clock that moves when told to, also backwards; timers go by the time that has passed. */
export class ManualClock implements Clock {
  time: number
  #passed = 0
  #timers: { at: number; call: () => void }[] = []

  constructor(time: number) {
    this.time = time
  }
  now(): Milliseconds {
    return this.time as Milliseconds
  }
  passed(): number {
    return this.#passed
  }
  after(delay_ms: number, call: () => void): () => void {
    const timer = { at: this.#passed + delay_ms, call }
    this.#timers.push(timer)
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer))
  }
  async pass(span_ms: number): Promise<void> {
    const end = this.#passed + span_ms
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.time += Math.max(0, next.at - this.#passed)
      this.#passed = Math.max(this.#passed, next.at)
      next.call()
      await settle()
    }
    this.time += end - this.#passed
    this.#passed = end
  }
}

/** The durable part of a journal: it outlives the actors that write it. */
export class JournalStore {
  readonly records: Uint8Array[] = []
  /** Records before this index are let go. */
  forgotten = 0
  /** While set, appends wait; `failure` makes the next ones fail without being stored. */
  held = false
  failure: Error | null = null
  #waiting: (() => void)[] = []

  open(): Journal {
    let expected = 0
    const records = this.records
    const first = (): number => this.forgotten
    return {
      replay: async function* (after = 0) {
        expected = Math.max(expected, after)
        if (expected > records.length) throw new JournalFault('end_missing', null, `the journal ends at ${records.length}`)
        expected = Math.max(expected, first())
        while (expected < records.length) yield { record: records[expected]!, position: ++expected }
      },
      append: async (record) => {
        if (this.held) await new Promise<void>((resolve) => this.#waiting.push(resolve))
        if (this.failure !== null) throw this.failure
        if (records.length !== expected) throw new Fenced('journal')
        records.push(record)
        expected++
      },
      forget: async (position) => {
        this.forgotten = Math.max(this.forgotten, Math.min(position, records.length) - 1)
      },
    }
  }

  get waiting(): number {
    return this.#waiting.length
  }

  release(): void {
    this.held = false
    for (const resume of this.#waiting) resume()
    this.#waiting = []
  }
}

/** The durable part of one actor's snapshots. With `failAfter` set, the store is gone after so many more pieces. */
export class SnapshotRows implements SnapshotStore {
  readonly rows = new Map<string, Uint8Array[]>()
  failAfter = Infinity

  async list(): Promise<StoredSnapshot[]> {
    return [...this.rows].map(([name, pieces]) => ({ name, pieces: pieces.length }))
  }
  async last(name: string): Promise<Uint8Array | null> {
    return this.rows.get(name)?.at(-1) ?? null
  }
  async *read(name: string, pieces: number): AsyncIterable<Uint8Array> {
    yield* (this.rows.get(name) ?? []).slice(0, pieces)
  }
  async append(name: string, piece: Uint8Array): Promise<void> {
    if (this.failAfter-- <= 0) throw new Error('no answer')
    const row = this.rows.get(name) ?? []
    this.rows.set(name, row)
    row.push(piece)
  }
  async remove(name: string): Promise<void> {
    this.rows.delete(name)
  }
}

export interface Sent {
  readonly subject: string
  readonly data: Uint8Array
}

/** A network in one process. By default it delivers at once and in order; with `queued` the test decides what becomes of each message. */
export class Network {
  queued = false
  readonly queue: Sent[] = []
  /** Everything that was ever published. */
  readonly published: Sent[] = []
  readonly #receivers = new Map<string, Set<(data: Uint8Array) => void>>()

  transport(): Transport {
    return {
      publish: (subject, data) => {
        this.published.push({ subject, data })
        if (this.queued) this.queue.push({ subject, data })
        else this.deliver({ subject, data })
      },
      subscribe: (subject, receive) => {
        const receivers = this.#receivers.get(subject) ?? new Set()
        this.#receivers.set(subject, receivers.add(receive))
        return () => void receivers.delete(receive)
      },
      onReconnect: () => () => undefined,
      flush: async () => undefined,
    }
  }

  deliver({ subject, data }: Sent): void {
    for (const receive of this.#receivers.get(subject) ?? []) receive(data)
  }
}

/** A feed stream in memory; `failing` makes a burst fail, stored or not. */
export class FeedStore implements FeedStream {
  readonly messages: FeedMessage[] = []
  failing: 'no' | 'lost' | 'in doubt' = 'no'
  readonly #doubted: (() => void)[] = []

  /** What a reader sees that drops repeats; undefined where a number is skipped. */
  get read(): FeedMessage[] | undefined {
    const seen: FeedMessage[] = []
    for (const message of this.messages) {
      if (message.seq > seen.length + 1) return undefined
      if (message.seq === seen.length + 1) seen.push(message)
    }
    return seen
  }

  onDoubt(call: () => void): void {
    this.#doubted.push(call)
  }

  /** Tells its writers that it was away. */
  away(): void {
    for (const call of this.#doubted) call()
  }

  async store(messages: readonly FeedText[]): Promise<void> {
    if (this.failing !== 'lost') this.messages.push(...messages.map(({ text }) => JSON.parse(text) as FeedMessage))
    if (this.failing !== 'no') throw new Error('no answer')
  }
}

/** What a readable record says. */
export function readRecord(record: Uint8Array): Heading & RecordBody {
  const { heading, body } = clearEnvelope.unwrap(record)
  return { ...heading, ...decodeBody(body) }
}

export const subjects = new Subjects('test')

/** Collects log lines as `level at message`. */
export class LogLines implements Log {
  readonly lines: string[] = []
  #put(level: string, at: string, message: string, ids: object = {}): void {
    this.lines.push(`${level} ${at} ${message} ${JSON.stringify(ids)}`)
  }
  info = (at: string, message: string, ids?: object): void => this.#put('info', at, message, ids)
  warn = (at: string, message: string, ids?: object): void => this.#put('warn', at, message, ids)
  error = (at: string, message: string, ids?: object): void => this.#put('error', at, message, ids)
}

/** Actors, their journals and what lies between them, all under the test's hand. */
export class World {
  readonly clock = new ManualClock(1_700_000_000_000)
  readonly network = new Network()
  readonly log = new LogLines()
  readonly #journals = new Map<ActorName, JournalStore>()
  readonly #snapshots = new Map<ActorName, SnapshotRows>()
  readonly #feeds = new Map<ActorName, FeedStore>()
  readonly answers: { readonly from: ActorName; readonly request: number; readonly answer: Answer }[] = []
  readonly #transport = this.network.transport()

  constructor() {
    this.#transport.subscribe(subjects.answers('g1'), (bytes) => {
      const { from, answers } = decode<AnswerPacket>(bytes)
      for (const answer of answers) this.answers.push({ from, ...answer })
    })
  }

  journal(name: ActorName): JournalStore {
    const store = this.#journals.get(name) ?? new JournalStore()
    this.#journals.set(name, store)
    return store
  }

  feed(name: ActorName): FeedStore {
    const store = this.#feeds.get(name) ?? new FeedStore()
    this.#feeds.set(name, store)
    return store
  }

  snapshots(name: ActorName): SnapshotRows {
    const store = this.#snapshots.get(name) ?? new SnapshotRows()
    this.#snapshots.set(name, store)
    return store
  }

  /** Of its own accord, beside the actor: it shares nothing with it but journal and store. */
  snapshot(name: ActorName, machine: Machine, kept: number, least = 1): Promise<Snapshotted> {
    const { clock, log } = this
    const replica = replicaOf(name, machine, clearEnvelope, subjects, clock, log)
    return takeSnapshot({ replica, journal: this.journal(name).open(), shelf: { store: this.snapshots(name), envelope: clearEnvelope }, kept, random: systemRandom, log }, least)
  }

  actor(name: ActorName, machine: Machine, more: Pick<ActorParts, 'patience_ms' | 'envelope' | 'snapshots' | 'bounds' | 'room'> = {}): Actor {
    const { clock, network, log } = this
    return new Actor({ name, machine, journal: this.journal(name).open(), transport: network.transport(), feed: this.feed(name), subjects, clock, log, ...more })
  }

  /** Sends client items to an actor, without waiting for anything. */
  ask(to: ActorName, ...items: ClientItem<unknown, unknown>[]): void {
    this.#transport.publish(subjects.clients(to), encode({ gateway: 'g1', items }))
  }

  answered(request: number): Answer | undefined {
    return this.answers.find((answer) => answer.request === request)?.answer
  }
}
