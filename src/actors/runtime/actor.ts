import { decode, encode } from '../../protocol/codec.ts'
import type { ActorName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { ActorStatus } from '../../protocol/packets.ts'
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
import type { Machine } from './machine.ts'
import { Mailbox } from './mailbox.ts'
import type { Mail } from './mailbox.ts'
import { packetRoom } from './packets.ts'
import { receive } from './reception.ts'
import type { Received } from './reception.ts'
import { takeOver } from './recovery.ts'
import type { SnapshotShelf } from './snapshot.ts'
import { SteadyClock } from './steadyClock.ts'
import type { Transport } from './transport.ts'

/** Everything an actor touches besides its machine. */
export interface ActorParts {
  readonly name: ActorName
  readonly machine: Machine
  readonly journal: Journal
  readonly transport: Transport
  readonly feed: FeedStream
  readonly subjects: Subjects
  readonly clock: Clock
  readonly log: Log
  /** How long peers' messages may wait for company, in milliseconds. Every record costs a sync, and nobody waits for these. Default 0. */
  readonly patience_ms?: number
  /** How the journal's records are wrapped; readable where none is given. */
  readonly envelope?: Envelope
  /** Where it finds snapshots to begin from. Without, the journal is replayed whole. */
  readonly snapshots?: SnapshotShelf
}

type State = ActorStatus['state']

/** How often links, deadline and status are looked after. */
const pulse_ms = 200
const status_ms = 1_000
/**
 * Carries one machine. What arrives waits in the mailbox; a batch of it is applied, appended to the journal as one record, and only when that
 * is durable do its effects leave. One append is in flight, meanwhile the next batch gathers. A machine that throws, or a journal that has
 * another writer, ends the actor: nothing further leaves.
 */
export class Actor implements DrivenActor {
  readonly name: ActorName
  /** Resolves when the actor has ended: with the reason where it failed, with null where it was drained or stopped. */
  readonly ended: Promise<Error | null>
  readonly #machine: Machine
  readonly #journal: Journal
  readonly #transport: Transport
  readonly #subjects: Subjects
  readonly #clock: SteadyClock
  readonly #log: Log
  readonly #patience_ms: number
  readonly #links: Links
  readonly #feed: Feed
  readonly #snapshots: SnapshotShelf | null
  readonly #memory: ActorState
  readonly #answering: Answering
  readonly #mailbox = new Mailbox()
  readonly #listeners: (() => void)[] = []
  #end: (reason: Error | null) => void
  #state: State = 'replaying'
  #working = false
  #idle: (() => void)[] = []
  #tickDue = false
  /** Whether something waits that may not wait for more. */
  #pressing = false
  #cancelPatience: (() => void) | null = null
  #cancelDeadline = (): void => undefined
  #cancelPulse = (): void => undefined
  #leave = (): void => undefined
  #statusAt = 0

  constructor(parts: ActorParts) {
    this.name = parts.name
    this.#machine = parts.machine
    this.#journal = parts.journal
    this.#transport = parts.transport
    this.#subjects = parts.subjects
    this.#clock = new SteadyClock(parts.clock)
    this.#log = parts.log
    this.#patience_ms = parts.patience_ms ?? 0
    this.#links = new Links(parts.name, parts.subjects, parts.transport, parts.log)
    this.#feed = new Feed(parts.feed, parts.clock, parts.log)
    const { name, machine, subjects, transport, log, envelope = clearEnvelope } = parts
    this.#memory = new ActorState({ venue: subjects.venue, name, machine, links: this.#links, feed: this.#feed, envelope })
    this.#snapshots = parts.snapshots ?? null
    this.#answering = new Answering(name, machine, subjects, transport, log)
    const { promise, resolve } = Promise.withResolvers<Error | null>()
    this.ended = promise
    this.#end = resolve
  }

  get status(): ActorStatus {
    const { records, restored, bytes } = this.#memory
    return { actor: this.name, state: this.#state, records, restored, bytes, backlog: this.#mailbox.inputs, alarms: this.#links.alarms }
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
      this.#armDeadline()
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  submit(input: unknown): Promise<void> {
    if (this.#state !== 'running') return Promise.reject(new Error(`${this.name} is ${this.#state}`))
    const bytes = encode(input)
    if (bytes.length > packetRoom) return Promise.reject(new Error(`an input of ${bytes.length} bytes; at most ${packetRoom} fit`))
    return new Promise<void>((done, failed) => {
      // Decoded again, so that the machine sees now what it will see in a replay.
      this.#mailbox.put({ kind: 'local', bytes, input: decode(bytes), done, failed })
      this.#press()
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
    this.#press()
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(limit_ms, resolve)
      void this.#settled().then(() => (cancel(), resolve()))
    })
    if (!this.#over) await this.#transport.flush()
    this.stop()
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
    while (this.#working && !this.#over) await new Promise<void>((resolve) => this.#idle.push(resolve))
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
    this.#cancelPatience?.()
    this.#cancelDeadline()
    this.#leave()
    this.#feed.stop()
    for (const mail of this.#mailbox.clear()) if (mail.kind === 'local') mail.failed(this.#ending())
    for (const resolve of this.#idle) resolve()
    this.#idle = []
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
        this.#armDeadline()
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
        // A feed that cannot be stored holds memory, so it holds back what would add to it.
        const full = this.#feed.backlog >= limits.outboxMessages || !this.#mailbox.put({ kind: 'client', bytes, packet })
        if (full) this.#answering.refuse(packet, 'venue_overloaded')
        else this.#press()
      },
      // One that finds no room is as good as lost on the way: the peer sends it again.
      peers: (packet, bytes) => {
        if (this.#state === 'running' && this.#mailbox.put({ kind: 'peer', bytes, packet })) this.#gather()
      },
      ack: (ack, bytes) => this.#links.heard(ack, bytes, this.#clock.now()),
      reconnected: () => this.#links.reconnected(this.#clock.now()),
      failed: (error) => this.#fail(error),
    }
  }

  // The loop

  #press(): void {
    this.#pressing = true
    this.#wake()
  }

  /** Peers' messages wait a little for more of them, or for anything that may not wait and takes them along in its order. */
  #gather(): void {
    if (this.#patience_ms === 0 || this.#state !== 'running' || this.#mailbox.inputs >= limits.batchInputs) return this.#press()
    this.#cancelPatience ??= this.#clock.after(this.#patience_ms, () => {
      this.#cancelPatience = null
      this.#press()
    })
  }

  #wake(): void {
    if (this.#working || this.#over) return
    this.#working = true
    // After the microtasks of this turn, so that all packets of one read from the socket make one batch.
    queueMicrotask(() => void this.#work())
  }

  async #work(): Promise<void> {
    try {
      while (!this.#over && (this.#pressing || this.#tickDue)) {
        this.#tickDue = false
        const batch = this.#mailbox.take()
        this.#pressing = this.#mailbox.inputs > 0
        await this.#step(batch)
        if (!this.#over) this.#armDeadline()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#working = false
      for (const resolve of this.#idle) resolve()
      this.#idle = []
    }
  }

  async #step(batch: Mail[]): Promise<void> {
    try {
      const asked: Asked[] = []
      const applied = batch.flatMap((mail) => sortMail(mail, this.#memory, this.#links, asked))
      const deadline = this.#machine.deadline()
      // Queries, repeated packets and questions for our position change nothing, so they are not journaled.
      if (applied.length > 0 || (deadline !== null && deadline <= this.#clock.now())) await this.#commit(applied, asked)
      else this.#release(asked)
      if (!this.#over) for (const mail of batch) if (mail.kind === 'local') mail.done()
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
    await this.#journal.append(this.#memory.close(inputs))
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

  /** A due deadline makes a record without inputs, so that a replay advances at the same time. */
  #armDeadline(): void {
    this.#cancelDeadline()
    const deadline = this.#machine.deadline()
    if (deadline === null) return
    // Farther away: the pulse comes first and looks again, also where the machine's clock has jumped.
    const wait_ms = deadline - this.#clock.now()
    if (wait_ms > pulse_ms) return
    // Never at once: a machine whose deadline does not move must not spin.
    this.#cancelDeadline = this.#clock.after(Math.max(wait_ms, 1), () => {
      this.#tickDue = true
      this.#wake()
    })
  }
}
