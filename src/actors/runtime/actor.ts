import { decode, encode } from '../../protocol/codec.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { ActorName, Milliseconds } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { ActorStatus, Answer, ClientPacket, NumberedAnswer, PeerPacket, ReplyTo } from '../../protocol/packets.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import type { Clock } from './clock.ts'
import type { DrivenActor } from './driver.ts'
import { BatchEffects } from './effects.ts'
import { Feed } from './feed.ts'
import type { FeedStream } from './feed.ts'
import { Fenced } from './journal.ts'
import type { Journal } from './journal.ts'
import { Links } from './links.ts'
import { sentence } from './log.ts'
import type { Log } from './log.ts'
import type { Machine } from './machine.ts'
import { Mailbox } from './mailbox.ts'
import type { Mail } from './mailbox.ts'
import { answerPackets, MalformedPacket, packetRoom, readClientPacket, readPeerAck, readPeerPacket } from './packets.ts'
import { decodeRecord, encodeRecord, inputTag } from './record.ts'
import type { RecordInput } from './record.ts'
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
}

type State = ActorStatus['state']

/** How often links, deadline and status are looked after. */
const pulse_ms = 200
const status_ms = 1_000
/** How often a new owner tries to append between two appends of the old one. */
const takeOverAttempts = 1_000
/** Answers to queries can be long lists: few to a packet. */
const queryAnswersPerPacket = 16

interface Asked {
  readonly reply: ReplyTo
  readonly query: unknown
}

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
  readonly #clock: Clock
  readonly #log: Log
  readonly #patience_ms: number
  readonly #links: Links
  readonly #feed: Feed
  readonly #effects: BatchEffects
  readonly #mailbox = new Mailbox()
  readonly #listeners: (() => void)[] = []
  #end: (reason: Error | null) => void
  #state: State = 'replaying'
  #epoch = 0
  #records = 0
  #time = 0 as Milliseconds
  #working = false
  #idle: (() => void)[] = []
  #tickDue = false
  /** Whether something waits that may not wait for more. */
  #pressing = false
  #cancelPatience: (() => void) | null = null
  #cancelDeadline = (): void => undefined
  #cancelPulse = (): void => undefined
  #leave: (() => void)[] = []
  #statusAt = 0

  constructor(parts: ActorParts) {
    this.name = parts.name
    this.#machine = parts.machine
    this.#journal = parts.journal
    this.#transport = parts.transport
    this.#subjects = parts.subjects
    this.#clock = parts.clock
    this.#log = parts.log
    this.#patience_ms = parts.patience_ms ?? 0
    this.#links = new Links(parts.name, parts.subjects, parts.transport)
    this.#feed = new Feed(parts.feed, parts.clock, parts.log)
    this.#effects = new BatchEffects(this.#links, this.#feed)
    const { promise, resolve } = Promise.withResolvers<Error | null>()
    this.ended = promise
    this.#end = resolve
  }

  get status(): ActorStatus {
    return { actor: this.name, state: this.#state, records: this.#records, backlog: this.#mailbox.inputs }
  }

  /**
   * Replays the journal, takes it over by appending the first record of a new epoch, then listens.
   * @throws Error where the actor could not start; it has ended then
   */
  async start(): Promise<void> {
    const from = this.#clock.now()
    try {
      this.#pulse()
      await this.#takeOver()
      if (this.#over) return
      this.#listen()
      this.#links.resume(this.#clock.now())
      this.#feed.release()
      this.#become('running')
      this.#log.info('actor', 'running', { records: this.#records, epoch: this.#epoch, replay_ms: this.#clock.now() - from })
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
    this.#log.error('actor', 'failed', { reason: sentence(reason), records: this.#records })
    this.#finish('failed', reason)
  }

  #finish(state: 'stopped' | 'failed', reason: Error | null): void {
    this.#state = state
    this.#cancelPulse()
    this.#cancelPatience?.()
    this.#cancelDeadline()
    for (const leave of this.#leave) leave()
    this.#leave = []
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

  #listen(): void {
    const guarded = (what: string, take: (bytes: Uint8Array) => void) => (bytes: Uint8Array) => {
      try {
        take(bytes)
      } catch (error) {
        if (error instanceof MalformedPacket) this.#log.warn('actor', 'a malformed packet is dropped', { what, reason: error.message })
        else this.#fail(error)
      }
    }
    this.#leave.push(
      this.#transport.subscribe(this.#subjects.clients(this.name), guarded('clients', (bytes) => this.#takeClients(bytes))),
      this.#transport.subscribe(this.#subjects.peers(this.name), guarded('peers', (bytes) => this.#takePeers(bytes))),
      this.#transport.subscribe(this.#subjects.acks(this.name), guarded('acks', (bytes) => this.#links.heard(readPeerAck(bytes), bytes, this.#clock.now()))),
      this.#transport.onReconnect(() => this.#links.reconnected(this.#clock.now())),
    )
  }

  #takeClients(bytes: Uint8Array): void {
    const packet = readClientPacket(bytes)
    if (this.#state !== 'running') return this.#refuse(packet, 'venue_not_ready')
    // A feed that cannot be stored holds memory, so it holds back what would add to it.
    const full = this.#feed.backlog >= limits.outboxMessages || !this.#mailbox.put({ kind: 'client', bytes, packet })
    if (full) this.#refuse(packet, 'venue_overloaded')
    else this.#press()
  }

  /** A peer's packet that finds no room is as good as lost on the way: the peer sends it again. */
  #takePeers(bytes: Uint8Array): void {
    const packet = readPeerPacket(bytes)
    if (this.#state === 'running' && this.#mailbox.put({ kind: 'peer', bytes, packet })) this.#gather()
  }

  #refuse(packet: ClientPacket<unknown, unknown>, code: ErrorCode): void {
    this.#answer(packet.gateway, packet.items.map(({ request }) => ({ request, answer: { refused: code } })))
  }

  #answer(gateway: string, answers: readonly NumberedAnswer[], perPacket: number = limits.packetItems): void {
    for (const bytes of answerPackets(this.name, answers, perPacket)) this.#transport.publish(this.#subjects.answers(gateway), bytes)
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
      const applied = batch.flatMap((mail) => this.#sort(mail, asked))
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

  /** What of a piece of mail is to be journaled and how it is applied; queries are put aside. */
  #sort(mail: Mail, asked: Asked[]): Work[] {
    if (mail.kind === 'local') return [{ input: { tag: inputTag.local, bytes: mail.bytes }, apply: () => this.#machine.local(mail.input, this.#effects) }]
    if (mail.kind === 'peer') {
      const skip = this.#links.accept(mail.packet)
      if (skip === undefined) return []
      return [{ input: { tag: inputTag.peer, bytes: mail.bytes }, apply: () => this.#applyPeer(mail.packet, skip) }]
    }
    const { gateway, items } = mail.packet
    const queries = items.filter((item) => 'query' in item)
    for (const { request, query } of queries) asked.push({ reply: { gateway, request }, query })
    if (queries.length === items.length) return []
    // Gateways send queries in packets of their own; where one did not, its commands alone are journaled.
    const packet = queries.length === 0 ? mail.packet : { gateway, items: items.filter((item) => 'command' in item) }
    const bytes = queries.length === 0 ? mail.bytes : encode(packet)
    return [{ input: { tag: inputTag.client, bytes }, apply: () => this.#applyClient(packet) }]
  }

  /** Advances, applies, appends one record, and lets the effects go once it is durable. */
  async #commit(work: readonly Work[], asked: readonly Asked[]): Promise<void> {
    this.#time = Math.max(this.#time, this.#clock.now()) as Milliseconds
    this.#effects.time = this.#time
    this.#machine.advance(this.#effects)
    const inputs: RecordInput[] = []
    this.#links.takeAcks(inputs)
    const stored = this.#feed.takeAck()
    if (stored !== null) inputs.push({ tag: inputTag.feedAck, bytes: encode(stored) })
    for (const { input, apply } of work) {
      inputs.push(input)
      apply()
    }
    const record = encodeRecord({ epoch: this.#epoch, index: this.#records + 1, time: this.#time, inputs })
    await this.#journal.append(record)
    this.#records++
    // Stopped meanwhile: the record stands, and the next owner tells of it.
    if (!this.#over) this.#release(asked)
  }

  #release(asked: readonly Asked[]): void {
    this.#effects.takeAnswers((gateway, answers) => this.#answer(gateway, answers))
    this.#links.release(this.#clock.now())
    this.#feed.release()
    this.#answerQueries(asked)
    for (const listener of this.#listeners) listener()
  }

  #answerQueries(asked: readonly Asked[]): void {
    const answers = new Map<string, NumberedAnswer[]>()
    for (const { reply, query } of asked) {
      const mine = answers.get(reply.gateway) ?? []
      mine.push({ request: reply.request, answer: this.#query(query) })
      answers.set(reply.gateway, mine)
    }
    for (const [gateway, mine] of answers) this.#answer(gateway, mine, queryAnswersPerPacket)
  }

  #query(query: unknown): Answer {
    try {
      return this.#machine.query(query)
    } catch (error) {
      // A query changes nothing, so its failure is its own.
      this.#log.error('actor', 'a query failed', { reason: sentence(error) })
      return { refused: 'internal_error' }
    }
  }

  #applyClient({ gateway, items }: ClientPacket<unknown, unknown>): void {
    for (const item of items) if ('command' in item) this.#machine.command(item.command, { gateway, request: item.request }, this.#effects)
  }

  #applyPeer({ from, items }: PeerPacket, skip: number): void {
    for (let i = skip; i < items.length; i++) this.#machine.message(from, items[i], this.#effects)
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

  // Replay

  /**
   * Replays to the end and appends the first record of a new epoch. From then on the append of any earlier owner is refused, whether it still
   * runs or its last append is still under way. One that still runs may be faster at first: then its records are replayed too.
   */
  async #takeOver(): Promise<void> {
    for (let attempt = 1; !this.#over; attempt++) {
      for await (const bytes of this.#journal.replay()) {
        if (this.#over) return
        this.#replay(bytes)
      }
      const time = Math.max(this.#time, this.#clock.now()) as Milliseconds
      const record = encodeRecord({ epoch: this.#epoch + 1, index: this.#records + 1, time, inputs: [] })
      try {
        await this.#journal.append(record)
      } catch (error) {
        if (error instanceof Fenced && attempt < takeOverAttempts) continue
        throw error
      }
      // Applied only now: a machine that had advanced for a record that was refused would no longer be what its journal says.
      this.#replay(record)
      this.#links.replayed()
      this.#effects.speak()
      return
    }
  }

  #replay(bytes: Uint8Array): void {
    const record = decodeRecord(bytes)
    if (record.index !== this.#records + 1) throw new Error(`journal record ${record.index} follows ${this.#records}`)
    if (record.epoch < this.#epoch) throw new Error(`journal record ${record.index} is of epoch ${record.epoch} after ${this.#epoch}`)
    if (record.time < this.#time) throw new Error(`journal record ${record.index} is older than the one before it`)
    this.#records = record.index
    this.#epoch = record.epoch
    this.#time = record.time
    this.#effects.time = record.time
    this.#machine.advance(this.#effects)
    for (const input of record.inputs) this.#replayInput(input)
  }

  #replayInput({ tag, bytes }: RecordInput): void {
    switch (tag) {
      case inputTag.client:
        return this.#applyClient(readClientPacket(bytes))
      case inputTag.peer: {
        const packet = readPeerPacket(bytes)
        const skip = this.#links.accept(packet)
        if (skip === undefined) throw new Error(`the journal has a packet of ${packet.from} out of its order`)
        return this.#applyPeer(packet, skip)
      }
      case inputTag.peerAck:
        return this.#links.applyAck(readPeerAck(bytes))
      case inputTag.feedAck:
        return this.#feed.trim(decode<number>(bytes))
      case inputTag.local:
        return this.#machine.local(decode(bytes), this.#effects)
    }
  }
}

/** A part of a batch: what is journaled, and how the machine takes it. */
interface Work {
  readonly input: RecordInput
  readonly apply: () => void
}
