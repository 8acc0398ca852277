import type { Actor } from '../../src/actors/runtime/actor.ts'
import { clearEnvelope } from '../../src/actors/runtime/envelope.ts'
import type { Envelope } from '../../src/actors/runtime/envelope.ts'
import { systemRandom } from '../../src/actors/runtime/random.ts'
import { replicaOf } from '../../src/actors/runtime/replica.ts'
import { SealedEnvelope } from '../../src/actors/runtime/sealedEnvelope.ts'
import { takeSnapshot } from '../../src/actors/runtime/snapshotter.ts'
import { JournalKeys } from '../../src/enclave/journalKeys.ts'
import { encode } from '../../src/protocol/codec.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { LedgerMachine } from './ledger.ts'
import { settle, subjects, World } from './world.ts'

export const left = 'vault.0' as ActorName
export const right = 'pair.X' as ActorName
const secret = Buffer.alloc(32, 7)
const sealed = (kind: 'record' | 'snapshot', key: Uint8Array = secret): Envelope => new SealedEnvelope({ keys: JournalKeys.only(key), venue: 'test', actor: left, kind, random: systemRandom })

/** A ledger that has grown beyond one piece. */
class LargeLedger extends LedgerMachine {
  override snapshot(): Uint8Array {
    return Buffer.concat([new Uint8Array(2_500_000), super.snapshot()])
  }
  override restore(bytes: Uint8Array): void {
    super.restore(bytes.subarray(2_500_000))
  }
}
export const machine = (): LedgerMachine => new LargeLedger(right, true)

/** An actor with its journal and snapshots. Each `live` makes some history: messages out, acknowledged and not, feeds, timers. */
export class Stage {
  readonly world = new World()
  readonly rows = this.world.snapshots(left)
  readonly journal = this.world.journal(left)
  readonly #sealed: boolean
  #next = 0

  constructor(isSealed = false) {
    this.#sealed = isSealed
  }

  envelope(kind: 'record' | 'snapshot', key?: Uint8Array): Envelope {
    return this.#sealed ? sealed(kind, key) : clearEnvelope
  }

  async start(made = machine(), key?: Uint8Array): Promise<Actor> {
    const actor = this.world.actor(left, made, { envelope: this.envelope('record', key), snapshots: { store: this.rows, envelope: this.envelope('snapshot', key) } })
    await actor.start()
    await settle()
    return actor
  }

  async live(actor: Actor, steps = 5): Promise<void> {
    for (let i = 0; i < steps; i++) {
      const id = ++this.#next
      this.world.ask(left, { request: id, command: { kind: 'pass', id } })
      await actor.submit({ id })
      if (i % 2 === 0) this.world.network.deliver({ subject: subjects.acks(left), data: encode({ from: right, position: 2 * id - 1 }) })
    }
    await settle()
  }

  async snapshot(least = 1, made = machine(), kept = 3) {
    const { clock, log } = this.world
    const replica = replicaOf(left, made, this.envelope('record'), subjects, clock, log)
    const result = await takeSnapshot({ replica, journal: this.journal.open(), shelf: { store: this.rows, envelope: this.envelope('snapshot') }, kept, random: systemRandom, log }, least)
    return { ...result, replica }
  }

  /** Four snapshots of one history: three are kept, and the journal from the first of these. */
  static async full(isSealed: boolean): Promise<{ stage: Stage; lived: LedgerMachine; names: string[] }> {
    const stage = new Stage(isSealed)
    const lived = machine()
    const actor = await stage.start(lived)
    for (let i = 0; i < 4; i++) {
      await stage.live(actor)
      await stage.snapshot()
    }
    await stage.live(actor)
    actor.stop()
    return { stage, lived, names: [...stage.rows.rows.keys()].sort() }
  }

  warnings(): string[] {
    return this.world.log.lines.filter((line) => line.startsWith('warn recovery'))
  }
}
