import type { RecordStore } from '../../src/actors/runtime/appender.ts'
import type { DrivenActor } from '../../src/actors/runtime/driver.ts'
import type { FeedStream } from '../../src/actors/runtime/feed.ts'
import type { Journal } from '../../src/actors/runtime/journal.ts'
import type { Machine } from '../../src/actors/runtime/machine.ts'
import type { Transport } from '../../src/actors/runtime/transport.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { Endpoint } from '../../src/settlement/endpoints/panel.ts'
import type { SimulatedRpc } from '../chain/simulatedRpc.ts'
import type { Host } from '../host.ts'
import type { JournalStream } from '../journals.ts'
import type { Random } from '../random.ts'

/** Whose part is to be replaced. */
export interface Place {
  readonly actor: ActorName
  readonly host: Host
  /** Owners that the actor had before this one. */
  readonly before: number
  /** The same at every run of a seed; of this owner alone. */
  readonly random: Random
}

export interface JournalPlace extends Place {
  readonly journals: JournalStream
}

/**
 * A mistake that a venue could have, made on purpose: it replaces parts of every actor by ones that are wrong. Only the simulator knows
 * these; that it finds each of them is what says that it would find others.
 */
export interface Defect {
  readonly name: string
  /** What is wrong, in one sentence. */
  readonly what: string
  /** The rule that must find it, where not any would do. */
  readonly foundBy?: string
  machine?(machine: Machine, place: Place): Machine
  store?(store: RecordStore, place: JournalPlace): RecordStore
  journal?(journal: Journal, place: JournalPlace): Journal
  transport?(transport: Transport, place: Place): Transport
  feed?(feed: FeedStream, place: Place): FeedStream
  rpc?(server: SimulatedRpc, place: Place): SimulatedRpc
  /** Which of several RPC servers are asked at all. */
  endpoints?(servers: readonly Endpoint[]): readonly Endpoint[]
  driven?(actor: DrivenActor, place: Place): DrivenActor
}
