import type { Effects, Machine } from '../../src/actors/runtime/machine.ts'
import type { ReplyTo } from '../../src/protocol/packets.ts'

/** The least that a machine can do: counts commands and answers with the count. What an actor costs with it is the runtime and the journal. */
export class Tally implements Machine {
  count = 0
  readonly advance = (): void => undefined
  readonly message = (): void => undefined
  readonly local = (): void => undefined
  readonly query = (): { ok: number } => ({ ok: this.count })
  readonly deadline = (): null => null
  readonly snapshot = (): Uint8Array => Buffer.from(String(this.count))

  command(_command: unknown, reply: ReplyTo, effects: Effects): void {
    this.count++
    effects.answer(reply, { ok: this.count })
  }

  restore(bytes: Uint8Array): void {
    this.count = Number(Buffer.from(bytes).toString())
  }
}
