import type { SnapshotStore } from '../src/actors/runtime/snapshotStore.ts'
import type { ActorName } from '../src/protocol/identity.ts'
import type { Circumstances } from './circumstances.ts'
import { never } from './host.ts'
import type { Host } from './host.ts'
import { damaged } from './damage.ts'
import type { Random } from './random.ts'

const WAY_us = { least: 100, most: 1_000 }
/** At which of its calls at most somebody finds that the store does not answer. */
const FAILS_AT = 10

/** Somebody who reads or writes snapshots, and which of its calls fail: `before` and `after` they took effect; Infinity where none does. */
interface Visitor {
  readonly host: Host
  readonly before: number
  readonly after: number
  calls: number
}

/** Rows of pieces, each actor's own: a writer may die between any two, a piece may not arrive, or come back as another than it went. */
export class Shelves {
  readonly #circumstances: Circumstances
  readonly #random: Random
  readonly #rows = new Map<ActorName, Map<string, Uint8Array[]>>()

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances
    this.#random = circumstances.random.fork('shelves')
  }

  store(actor: ActorName, host: Host): SnapshotStore {
    const rows = this.#rows.get(actor) ?? new Map<string, Uint8Array[]>()
    this.#rows.set(actor, rows)
    let visitor: Visitor | undefined
    const pieces = (name: string): Uint8Array[] => rows.get(name) ?? []
    const read = (what: string, piece: Uint8Array): Uint8Array => this.#read(what, piece)
    const call = <Value>(what: string, serve: () => Value): Promise<Value> => this.#call((visitor ??= this.#visitor(host)), what, serve)
    return {
      list: () => call('list snapshots', () => Array.from(rows, ([name, all]) => ({ name, pieces: all.length }))),
      last: async (name) => {
        const last = await call('read manifest', () => pieces(name).at(-1) ?? null)
        return last && read('snapshot damaged', last)
      },
      read: async function* (name, count) {
        for (let part = 0; part < count; part++) {
          const piece = await call('read piece', () => pieces(name)[part])
          if (piece === undefined) throw new Error('a piece did not come')
          yield read('snapshot damaged', piece)
        }
      },
      append: (name, piece) => call('append piece', () => void rows.set(name, [...pieces(name), piece])),
      remove: (name) => call('remove snapshot', () => void rows.delete(name)),
    }
  }

  /** Bytes of an actor's largest snapshot. */
  bytes(actor: ActorName): number {
    const sizes = Array.from(this.#rows.get(actor)?.values() ?? [], (pieces) => pieces.reduce((sum, { length }) => sum + length, 0))
    return Math.max(0, ...sizes)
  }

  #read(what: string, piece: Uint8Array): Uint8Array {
    const { plan, faults } = this.#circumstances
    if (!this.#random.chance(plan.snapshot.damaged)) return piece
    faults.add(what)
    return damaged(piece, this.#random)
  }

  /** Chances are for each visitor: were they for each call, then no large snapshot would ever be finished, and everybody would read everything again and again. */
  #visitor(host: Host): Visitor {
    const { failedBefore, failedAfter } = this.#circumstances.plan.snapshot
    const failsAt = (chance: number): number => (this.#random.chance(chance) ? this.#random.between(1, FAILS_AT) : Infinity)
    return { host, before: failsAt(failedBefore), after: failsAt(failedAfter), calls: 0 }
  }

  #call<Value>(visitor: Visitor, what: string, serve: () => Value): Promise<Value> {
    const { host } = visitor
    if (!host.reach()) return never()
    const { scheduler, plan, faults } = this.#circumstances
    const random = this.#random
    visitor.calls++
    const hit = (at: number, chance: number, fault: string): boolean => visitor.calls === at && chance > 0 && (faults.add(fault), true)
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        host.excuse = 'snapshots could not be reached'
        reject(new Error('the snapshot store does not answer'))
      }
      const answer = (settle: () => void): void => void host.after(random.between(WAY_us.least, WAY_us.most), `${what}: answer`, settle)
      if (!host.connected || hit(visitor.before, plan.snapshot.failedBefore, 'snapshot call lost')) return answer(fail)
      const failed = hit(visitor.after, plan.snapshot.failedAfter, 'snapshot answer lost')
      scheduler.after(random.between(WAY_us.least, WAY_us.most), what, host.name, () => {
        const value = serve()
        answer(failed ? fail : () => resolve(value))
      })
    })
  }
}
