import type { Effects, Machine } from '../../src/actors/runtime/machine.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import type { Answer, ReplyTo } from '../../src/protocol/packets.ts'

/** A machine that does what another does: where a defect is to differ, it overrides. */
export class WrappedMachine implements Machine {
  protected readonly machine: Machine

  constructor(machine: Machine) {
    this.machine = machine
  }

  advance(effects: Effects): void {
    this.machine.advance(effects)
  }
  command(command: unknown, reply: ReplyTo, effects: Effects): void {
    this.machine.command(command, reply, effects)
  }
  message(from: ActorName, message: unknown, effects: Effects): void {
    this.machine.message(from, message, effects)
  }
  local(input: unknown, effects: Effects): void {
    this.machine.local(input, effects)
  }
  query(query: unknown): Answer {
    return this.machine.query(query)
  }
  deadline(): Milliseconds | null {
    return this.machine.deadline()
  }
  snapshot(): Uint8Array {
    return this.machine.snapshot()
  }
  restore(bytes: Uint8Array): void {
    this.machine.restore(bytes)
  }
}

/** Effects that go another way than a machine thinks. */
export function changedEffects(effects: Effects, changes: Partial<Pick<Effects, 'send' | 'time'>>): Effects {
  return {
    time: changes.time ?? effects.time,
    digest: effects.digest,
    record: effects.record,
    epoch: effects.epoch,
    send: changes.send ?? ((to, message) => effects.send(to, message)),
    answer: (to, answer) => effects.answer(to, answer),
    publish: (message) => effects.publish(message),
    backlog: (to) => effects.backlog(to),
  }
}
