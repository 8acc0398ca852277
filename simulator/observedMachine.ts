import type { Effects, Machine } from '../src/actors/runtime/machine.ts'
import type { ActorName, Milliseconds } from '../src/protocol/identity.ts'
import type { Answer, ReplyTo } from '../src/protocol/packets.ts'
import { digestOf } from './digest.ts'
import type { Caused, History } from './history.ts'
import { ObservedEffects } from './observedEffects.ts'
import type { Verdict } from './violation.ts'

/** What an observed machine was given, since it was made. */
export interface Applied {
  commands: number
  messages: number
  locals: number
}

const NUMBER_BYTES = 4

/** How far everything was that a machine had done when a snapshot of it was taken. */
export interface Positions {
  readonly heard: ReadonlyMap<ActorName, number>
  readonly sent: ReadonlyMap<ActorName, number>
  readonly published: number
  readonly time: number
}

export interface Observation {
  readonly actor: ActorName
  readonly machine: Machine
  readonly history: History
  readonly verdict: Verdict
  readonly applied: Applied
  /** Called with each message of another actor before the machine gets it. */
  readonly heard: (message: unknown) => void
  /** Of every snapshot that was ever taken, by number. */
  readonly positions: Positions[]
  /** Called when the machine has taken a snapshot over. */
  readonly restored: () => void
}

/** Stands around an actor's machine and sees everything that goes in and comes out; the machine does not notice. */
export class ObservedMachine implements Machine {
  readonly #observation: Observation
  readonly #machine: Machine
  readonly #effects = new ObservedEffects()
  #heard = new Map<ActorName, number>()
  #time = 0
  #live = false

  constructor(observation: Observation) {
    this.#observation = observation
    const { machine } = observation
    this.#machine = machine
  }

  /** During a replay nothing counts as applied, and what is answered reaches nobody. */
  get live(): boolean {
    return this.#live
  }
  set live(live: boolean) {
    this.#live = live
    this.#effects.live = live
  }

  /** Messages of a sender that this machine has applied. */
  heardOf(from: ActorName): number {
    return this.#heard.get(from) ?? 0
  }

  /** The latest time that the machine was told, which is what it forgets by. */
  get time(): number {
    return this.#time
  }

  /** What was caused since the last call. */
  take(): Caused {
    return this.#effects.take()
  }

  advance(effects: Effects): void {
    const { verdict, actor } = this.#observation
    verdict.holds(effects.time >= this.#time, 'time never goes back', () => `${actor} advances to ${effects.time} after ${this.#time}`)
    this.#time = effects.time
    this.#machine.advance(this.#effects.of(effects))
  }

  command(command: unknown, reply: ReplyTo, effects: Effects): void {
    if (this.live) this.#observation.applied.commands++
    this.#machine.command(command, reply, this.#effects.of(effects))
  }

  message(from: ActorName, message: unknown, effects: Effects): void {
    if (this.live) this.#observation.applied.messages++
    const { actor, history, heard } = this.#observation
    const position = this.heardOf(from) + 1
    this.#heard.set(from, position)
    history.heard(actor, from, position, digestOf(message))
    heard(message)
    this.#machine.message(from, message, this.#effects.of(effects))
  }

  local(input: unknown, effects: Effects): void {
    if (this.live) this.#observation.applied.locals++
    this.#machine.local(input, this.#effects.of(effects))
  }

  query(query: unknown): Answer {
    return this.#machine.query(query)
  }

  deadline(): Milliseconds | null {
    return this.#machine.deadline()
  }

  /** The machine's own bytes behind the number of what this observer knew then: two snapshots may be the same, and what was heard not. */
  snapshot(): Uint8Array {
    const { positions } = this.#observation
    const { sent, published } = this.#effects
    const number = positions.push({ heard: new Map(this.#heard), sent: new Map(sent), published, time: this.#time }) - 1
    const bytes = this.#machine.snapshot()
    const numbered = Buffer.alloc(NUMBER_BYTES + bytes.length)
    numbered.writeUInt32BE(number)
    numbered.set(bytes, NUMBER_BYTES)
    return numbered
  }

  restore(bytes: Uint8Array): void {
    const { verdict, actor, positions, restored } = this.#observation
    this.#machine.restore(bytes.subarray(NUMBER_BYTES))
    const known = positions[Buffer.from(bytes).readUInt32BE(0)]
    if (known === undefined) return verdict.broken('only snapshots are restored', `${actor} takes over what no machine has put down`)
    this.#heard = new Map(known.heard)
    this.#time = known.time
    this.#effects.restore(known.sent, known.published)
    restored()
  }
}
