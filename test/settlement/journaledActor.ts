import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import type { OwnedMessage } from '../../src/protocol/owned.ts'
import type { DrivenActor } from '../../src/actors/runtime/driver.ts'
import type { Effects, Machine } from '../../src/actors/runtime/machine.ts'

interface Batch<Message, Local> {
  readonly time: number
  /** Of the owner that wrote it. */
  readonly epoch: number
  readonly inputs: readonly ({ from: ActorName; message: Message } | { local: Local })[]
}
export interface Sent {
  readonly to: ActorName
  readonly message: unknown
}

/**
 * An actor with a journal in memory, in the venue's own codec: batches of inputs are applied and kept, and a successor replays them. What
 * the real runtime does over JetStream, without losing an acknowledged input, and without the network.
 */
export class JournaledActor<Query, Message, Local, M extends Machine<never, Query, Message, Local>> implements DrivenActor<Local> {
  readonly journal: Uint8Array[] = []
  readonly sent: Sent[] = []
  readonly published: OwnedMessage[] = []
  machine: M
  readonly #make: () => M
  #listeners: (() => void)[] = []
  #generation = 0
  /** The actor's clock, in milliseconds; manual unless `live`. */
  #time = 1_000
  readonly #live: boolean
  #timer: NodeJS.Timeout | undefined

  /** Term of the owner: each has the next. */
  get epoch(): number {
    return this.#generation + 1
  }

  constructor(make: () => M, options: { live?: boolean } = {}) {
    this.#make = make
    this.machine = make()
    this.#live = options.live ?? false
  }

  /** Applies and journals one batch. Empty: only time passes. */
  apply(inputs: Batch<Message, Local>['inputs'], later_ms = 0): void {
    this.#time = this.#live ? Math.max(this.#time, Date.now()) : this.#time + later_ms
    const record = encode({ time: this.#time, epoch: this.epoch, inputs } satisfies Batch<Message, Local>)
    this.#run(this.machine, this.journal.length + 1, record, this.sent, this.published)
    this.journal.push(record)
    for (const listener of this.#listeners) listener()
    if (this.#live) this.#schedule()
  }

  hear(from: string, ...messages: Message[]): void {
    this.apply(messages.map((message) => ({ from: from as ActorName, message })))
  }

  async submit(local: Local): Promise<void> {
    const generation = this.#generation
    // Durability takes a moment, as it does with a real journal.
    await new Promise((resolve) => setImmediate(resolve))
    if (generation !== this.#generation) throw new Error('the actor has ended')
    this.apply([{ local }])
  }

  onDurable(listener: () => void): void {
    this.#listeners.push(listener)
    listener()
  }

  /** What a predecessor's driver holds no longer reaches the journal; a new machine replays it. */
  restart(): void {
    this.#generation++
    this.#listeners = []
    clearTimeout(this.#timer)
    const machine = this.#make()
    const [sent, published]: [Sent[], OwnedMessage[]] = [[], []]
    for (const [at, record] of this.journal.entries()) this.#run(machine, at + 1, record, sent, published)
    if (JSON.stringify([sent, published], big) !== JSON.stringify([this.sent, this.published], big)) throw new Error('the replay sent other messages')
    this.machine = machine
    if (this.#live) this.#schedule()
  }

  /** The driver's end of it: a killed process's driver can neither journal nor hear. */
  handle(): DrivenActor<Local> {
    const generation = this.#generation
    return {
      submit: async (local) => {
        if (generation !== this.#generation) throw new Error('the actor has ended')
        await this.submit(local)
      },
      onDurable: (listener) => this.onDurable(listener),
    }
  }

  close(): void {
    this.#generation++
    this.#listeners = []
    clearTimeout(this.#timer)
  }

  #run(machine: M, place: number, record: Uint8Array, sent: Sent[], published: OwnedMessage[]): void {
    const { time, epoch, inputs } = decode<Batch<Message, Local>>(record)
    const effects: Effects = {
      time: time as Milliseconds,
      digest: new Uint8Array(32),
      record: place,
      epoch,
      send: (to, message) => sent.push({ to, message }),
      answer: () => undefined,
      publish: (message) => published.push(message),
      backlog: () => 0,
    }
    machine.advance(effects)
    for (const input of inputs) {
      if ('local' in input) machine.local(input.local, effects)
      else machine.message(input.from, input.message, effects)
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const due = this.machine.deadline()
    if (due !== null) this.#timer = setTimeout(() => this.apply([]), Math.max(0, due - Date.now()))
  }
}

const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)
