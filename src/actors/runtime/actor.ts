import { decode, encode } from '../../protocol/codec.ts'
import type { ActorName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { ActorAlarm, ActorStatus } from '../../protocol/packets.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import { ActorState } from './actorState.ts'
import { Answering } from './answering.ts'
import type { Asked } from './answering.ts'
import { sortMail } from './batch.ts'
import type { Work } from './batch.ts'
import type { Clock } from './clock.ts'
import type { DrivenActor } from './driver.ts'
import { clearEnvelope } from './envelope.ts'
import type { Envelope } from './envelope.ts'
import { Feed } from './feed.ts'
import type { FeedStream } from './feed.ts'
import type { Journal } from './journal.ts'
import { Links } from './links.ts'
import { sentence } from './log.ts'
import type { Log } from './log.ts'
import { Loop, pulse_ms } from './loop.ts'
import type { Machine } from './machine.ts'
import { Mailbox } from './mailbox.ts'
import { packetRoom } from './packets.ts'
import { Pressure } from './pressure.ts'
import type { PressureBounds } from './pressure.ts'
import { receive } from './reception.ts'
import type { Received } from './reception.ts'
import { takeOver } from './recovery.ts'
import type { SnapshotShelf } from './snapshot.ts'
import { SteadyClock } from './steadyClock.ts'
import type { Transport } from './transport.ts'

/** Hears how an actor's work goes, for its operator. Must not throw. */
export interface ActorMeter {
  /** A record of so many inputs is stored. */
  appended(inputs: number, took_ms: number): void
}

/** How much an actor holds of what it cannot get rid of, and how its clock stands. */
export interface ActorLoad {
  /** Messages that one peer has not acknowledged, of the peer that leaves most. */
  readonly outbox: number
  /** Feed messages that are not stored. */
  readonly feed: number
  readonly clockAhead_ms: number
}

/** Everything an actor touches besides its machine. */
export interface ActorParts {
  readonly name: ActorName
  /** The node that runs it, for its status. */
  readonly node?: string
  readonly machine: Machine
  readonly journal: Journal
  readonly transport: Transport
  readonly feed: FeedStream
  readonly subjects: Subjects
  readonly clock: Clock
  readonly log: Log
  /** How long peers' messages may wait for company, in milliseconds. Every record costs a sync, and nobody waits for these. Default 0. */
  readonly patience_ms?: number
  /** Beyond which it takes nothing more of its peers, and nothing of its driver. By default only a feed that cannot be stored holds it up. */
  readonly bounds?: Partial<PressureBounds>
  /** Whether its machine has room for what a peer sends. */
  readonly room?: (from: ActorName) => boolean
  /** What its machine wants somebody to look at; part of its status. */
  readonly alarms?: () => readonly ActorAlarm[]
  /** How the journal's records are wrapped; readable where none is given. */
  readonly envelope?: Envelope
  /** Where it finds snapshots to begin from. Without, the journal is replayed whole. */
  readonly snapshots?: SnapshotShelf
  readonly meter?: ActorMeter
}

type State = ActorStatus['state']

const nothing = new Uint8Array(0)
const status_ms = 1_000
/** An append that takes so long stands for more than a slow disk: what comes now would wait in vain. */
const stalled_ms = 3_000

/**
 * Carries one machine. What arrives waits in the mailbox; a batch of it is applied, appended to the journal as one record, and only when that
 * is durable do its effects leave. One append is in flight, meanwhile the next batch gathers. A machine that throws, or a journal that has
 * another writer, ends the actor: nothing further leaves.
 */
export class Actor implements DrivenActor {
  readonly name: ActorName
  /** Resolves when the actor has ended: with the reason where it failed, with null where it was drained or stopped. */
  readonly ended: Promise<Error | null>
  readonly #node: string
  readonly #machine: Machine
  readonly #journal: Journal
  readonly #transport: Transport
  readonly #subjects: Subjects
  readonly #clock: SteadyClock
  readonly #log: Log
  readonly #links: Links
  readonly #feed: Feed
  readonly #alarms: () => readonly ActorAlarm[]
  readonly #pressure: Pressure
  readonly #snapshots: SnapshotShelf | null
  readonly #meter: ActorMeter | null
  readonly #memory: ActorState
  readonly #answering: Answering
  readonly #loop: Loop
  readonly #mailbox = new Mailbox()
  readonly #listeners: (() => void)[] = []
  #end: (reason: Error | null) => void
  #state: State = 'replaying'
  #cancelPulse = (): void => undefined
  #leave = (): void => undefined
  #statusAt = 0
  /** By a clock that nobody sets; null while no append is in flight. */
  #appendingSince: number | null = null

  constructor(parts: ActorParts) {
    this.name = parts.name
    this.#node = parts.node ?? ''
    this.#machine = parts.machine
    this.#journal = parts.journal
    this.#transport = parts.transport
    this.#subjects = parts.subjects
    this.#clock = new SteadyClock(parts.clock)
    this.#log = parts.log
    this.#links = new Links(parts.name, parts.subjects, parts.transport, parts.log)
    this.#feed = new Feed(parts.feed, parts.clock, parts.log)
    this.#alarms = parts.alarms ?? (() => [])
    this.#pressure = new Pressure(this.#links, this.#feed, parts.bounds, parts.room)
    const { name, machine, subjects, transport, log, envelope = clearEnvelope } = parts
    this.#memory = new ActorState({ venue: subjects.venue, name, machine, links: this.#links, feed: this.#feed, envelope })
    this.#snapshots = parts.snapshots ?? null
    this.#meter = parts.meter ?? null
    this.#answering = new Answering(name, machine, subjects, transport, log)
    this.#loop = new Loop({
      clock: this.#clock,
      patience_ms: parts.patience_ms ?? 0,
      step: () => this.#step(),
      deadline: () => this.#machine.deadline(),
      failed: (error) => this.#fail(error),
    })
    const { promise, resolve } = Promise.withResolvers<Error | null>()
    this.ended = promise
    this.#end = resolve
  }

  get status(): ActorStatus {
    const { records, restored, bytes, epoch } = this.#memory
    const alarms: ActorAlarm[] = [...this.#links.alarms, ...this.#alarms()]
    if (this.#stalled) alarms.push({ kind: 'journal_stalled' })
    return { actor: this.name, node: this.#node, epoch, state: this.#state, records, restored, bytes, backlog: this.#mailbox.inputs, alarms }
  }

  get load(): ActorLoad {
    return { outbox: this.#links.behind, feed: this.#feed.backlog, clockAhead_ms: this.#clock.ahead_ms }
  }

  /**
   * Replays the journal, takes it over by appending the first record of a new epoch, then listens.
   * @throws Error where the actor could not start; it has ended then
   */
  async start(): Promise<void> {
    const from = this.#clock.now()
    try {
      this.#pulse()
      await takeOver(this.#memory, this.#journal, this.#snapshots, this.#clock, this.#log, () => this.#over)
      if (this.#over) return
      this.#clock.startFrom(this.#memory.time)
      this.#memory.speak()
      this.#leave = receive(this.name, this.#subjects, this.#transport, this.#log, this.#received())
      this.#links.resume(this.#clock.now())
      this.#feed.release()
      this.#become('running')
      this.#log.info('actor', 'running', { records: this.#memory.records, restored: this.#memory.restored, epoch: this.#memory.epoch, replay_ms: this.#clock.now() - from })
      this.#loop.rearm()
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  submit(input: unknown): Promise<void> {
    if (this.#state !== 'running') return Promise.reject(new Error(`${this.name} is ${this.#state}`))
    const bytes = encode(input)
    if (bytes.length > packetRoom) return Promise.reject(new Error(`an input of ${bytes.length} bytes; at most ${packetRoom} fit`))
    if (this.#pressure.outboxFull) return this.#pressure.outboxRoom().then(() => this.submit(input))
    return new Promise<void>((done, failed) => {
      // Decoded again, so that the machine sees now what it will see in a replay.
      this.#mailbox.put({ kind: 'local', bytes, input: decode(bytes), done, failed })
      this.#loop.press()
    })
  }

  onDurable(listener: () => void): void {
    this.#listeners.push(listener)
    listener()
  }

  /** Takes nothing new, finishes what waits, and ends. Messages to peers that do not acknowledge stay in the journal. */
  async drain(limit_ms: number): Promise<void> {
    if (this.#state !== 'running') return this.stop()
    this.#become('draining')
    this.#loop.press()
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(limit_ms, resolve)
      void this.#settled().then(() => (cancel(), resolve()))
    })
    if (!this.#over) await this.#transport.flush()
    this.stop()
  }

  /** Ends at once, as failed: whoever read its journal beside it has not come to what it is, or could not read it. */
  distrust(reason: Error): void {
    this.#fail(reason)
  }

  /** Ends at once, as a crash would: nothing further leaves, not even what is durable. */
  stop(): void {
    if (this.#over) return
    this.#finish('stopped', null)
  }

  get #over(): boolean {
    return this.#state === 'stopped' || this.#state === 'failed'
  }

  async #settled(): Promise<void> {
    await this.#loop.settled()
    await this.#feed.settled()
  }

  #fail(error: unknown): void {
    if (this.#over) return
    const reason = error instanceof Error ? error : new Error(String(error))
    this.#log.error('actor', 'failed', { reason: sentence(reason), records: this.#memory.records })
    this.#finish('failed', reason)
  }

  #finish(state: 'stopped' | 'failed', reason: Error | null): void {
    this.#state = state
    this.#cancelPulse()
    this.#loop.stop()
    this.#leave()
    this.#feed.stop()
    this.#pressure.stop()
    for (const mail of this.#mailbox.clear()) if (mail.kind === 'local') mail.failed(this.#ending())
    this.#sayStatus()
    this.#end(reason)
  }

  #ending(): Error {
    return new Error(`${this.name} has ended`)
  }

  #become(state: State): void {
    this.#state = state
    this.#sayStatus()
  }

  #sayStatus(): void {
    this.#statusAt = this.#clock.now()
    this.#transport.publish(this.#subjects.status(this.name), encode(this.status))
  }

  #pulse(): void {
    this.#cancelPulse = this.#clock.after(pulse_ms, () => {
      const now = this.#clock.now()
      if (this.#state !== 'replaying') {
        this.#links.tick(now)
        this.#relieve()
        this.#loop.rearm()
      }
      if (now - this.#statusAt >= status_ms || now < this.#statusAt) this.#sayStatus()
      this.#pulse()
    })
  }

  // What arrives

  #received(): Received {
    return {
      clients: (packet, bytes) => {
        if (this.#state !== 'running') return this.#answering.refuse(packet, 'venue_not_ready')
        // A feed that cannot be stored holds memory, so it holds back what would add to it; what comes while the journal stands would wait in vain.
        const full = this.#stalled || this.#feed.backlog >= limits.outboxMessages || !this.#mailbox.put({ kind: 'client', bytes, packet })
        if (full) this.#answering.refuse(packet, 'venue_overloaded')
        else this.#loop.press()
      },
      // One that finds no room is as good as lost on the way: the peer sends it again.
      peers: (packet, bytes) => {
        if (this.#state !== 'running' || !this.#pressure.takes(packet.from) || !this.#mailbox.put({ kind: 'peer', bytes, packet })) return
        if (this.#mailbox.inputs >= limits.batchInputs) this.#loop.press()
        else this.#loop.gather()
      },
      ack: (ack, bytes) => {
        this.#links.heard(ack, bytes, this.#clock.now())
        this.#relieve()
      },
      reconnected: () => this.#links.reconnected(this.#clock.now()),
      failed: (error) => this.#fail(error),
    }
  }

  /** Whoever was turned away and would not be now is asked to go on, with an acknowledgement of what it knows already. */
  #relieve(): void {
    for (const from of this.#pressure.relieved()) {
      this.#mailbox.put({ kind: 'peer', bytes: nothing, packet: { from, first: 1, items: [] } })
      this.#loop.press()
    }
  }

  get #stalled(): boolean {
    return this.#appendingSince !== null && this.#clock.passed() - this.#appendingSince >= stalled_ms
  }

  // The loop

  /** One batch. True where more waited when it was taken. */
  async #step(): Promise<boolean> {
    const batch = this.#mailbox.take()
    const more = this.#mailbox.inputs > 0
    try {
      const asked: Asked[] = []
      const applied = batch.flatMap((mail) => sortMail(mail, this.#memory, this.#links, asked))
      const deadline = this.#machine.deadline()
      // Queries, repeated packets and questions for our position change nothing, so they are not journaled.
      if (applied.length > 0 || (deadline !== null && deadline <= this.#clock.now())) await this.#commit(applied, asked)
      else this.#release(asked)
      if (!this.#over) for (const mail of batch) if (mail.kind === 'local') mail.done()
      return more
    } finally {
      // Settled already, unless the batch did not get through.
      for (const mail of batch) if (mail.kind === 'local') mail.failed(this.#ending())
    }
  }

  /** Advances, applies, appends one record, and lets the effects go once it is durable. */
  async #commit(work: readonly Work[], asked: readonly Asked[]): Promise<void> {
    const inputs = this.#memory.advance(this.#clock.now())
    for (const { input, apply } of work) {
      inputs.push(input)
      apply()
    }
    const record = this.#memory.close(inputs)
    const since = this.#clock.passed()
    this.#appendingSince = since
    await this.#journal.append(record)
    this.#appendingSince = null
    this.#meter?.appended(inputs.length, this.#clock.passed() - since)
    this.#memory.appended()
    // Stopped meanwhile: the record stands, and the next owner tells of it.
    if (!this.#over) this.#release(asked)
  }

  #release(asked: readonly Asked[]): void {
    this.#memory.effects.takeAnswers((gateway, answers) => this.#answering.answer(gateway, answers))
    this.#links.release(this.#clock.now())
    this.#feed.release()
    this.#answering.answerQueries(asked)
    for (const listener of this.#listeners) listener()
  }
}
