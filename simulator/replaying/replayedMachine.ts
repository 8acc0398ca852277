import type { Effects, Machine } from '../../src/actors/runtime/machine.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { ReplyTo } from '../../src/protocol/packets.ts'
import { WrappedMachine } from '../defects/wrappedMachine.ts'
import { digestOfCaused } from '../history.ts'
import { ObservedEffects } from '../observedEffects.ts'

/** Stands around a machine that replays a journal, and puts down what it causes. */
export class ReplayedMachine extends WrappedMachine {
  readonly #effects = new ObservedEffects()

  constructor(machine: Machine) {
    super(machine)
  }

  /** Of what was caused since the last call. */
  takeDigest(): number {
    return digestOfCaused(this.#effects.take())
  }

  override advance(effects: Effects): void {
    super.advance(this.#effects.of(effects))
  }
  override command(command: unknown, reply: ReplyTo, effects: Effects): void {
    super.command(command, reply, this.#effects.of(effects))
  }
  override message(from: ActorName, message: unknown, effects: Effects): void {
    super.message(from, message, this.#effects.of(effects))
  }
  override local(input: unknown, effects: Effects): void {
    super.local(input, this.#effects.of(effects))
  }
}
