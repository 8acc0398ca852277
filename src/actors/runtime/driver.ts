import type { Readings } from '../../monitoring/meters.ts'
import type { ActorName } from '../../protocol/identity.ts'
import type { ActorAlarm } from '../../protocol/packets.ts'
import type { Machine } from './machine.ts'
import type { PressureBounds } from './pressure.ts'

/** What the part of an actor that does I/O for its machine may do with the actor. */
export interface DrivenActor<Local = unknown> {
  /**
   * Gives the machine an input of its own driver, once there is room for what it may cause. Resolves once it is durable; it has been applied by then.
   * @throws Error where the actor ends first: whether the input is in the journal then shows after the next start
   */
  submit(input: Local): Promise<void>
  /**
   * Calls after every durable batch, when the machine's state holds nothing that could still be lost: what the driver does to the outside
   * world it decides here. Also called once when the listener is added. Must not throw.
   */
  onDurable(listener: () => void): void
}

export interface Driver {
  /** Ends its work; waits for what is under way and cannot be abandoned. */
  stop(): Promise<void>
}

/** A machine and, where it has one, its driver, which starts once the journal is replayed. */
export interface Hosted {
  readonly machine: Machine
  /** How long what other actors say may wait for company (`ActorParts`). */
  readonly patience_ms?: number
  /** When it takes nothing more of its peers, and whether it has room for what one of them sends (`ActorParts`). */
  readonly bounds?: Partial<PressureBounds>
  readonly room?: (from: ActorName) => boolean
  /** What the machine itself wants somebody to look at (`ActorParts`). */
  readonly alarms?: () => readonly ActorAlarm[]
  drive?(actor: DrivenActor): Driver
  /** What its operator may know of how it stands: counts, never contents. */
  readings?(): Promise<Readings>
}
