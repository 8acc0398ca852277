import type { SnapshotStore } from '../src/actors/runtime/snapshotStore.ts'
import type { ActorName } from '../src/protocol/identity.ts'
import type { Circumstances } from './circumstances.ts'
import { never } from './host.ts'
import type { Host } from './host.ts'
import { damaged } from './damage.ts'
import type { Random } from './random.ts'

const WAY_us = { least: 100, most: 1_000 }

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
    const pieces = (name: string): Uint8Array[] => rows.get(name) ?? []
    const read = (what: string, piece: Uint8Array): Uint8Array => this.#read(what, piece)
    const call = <Value>(what: string, serve: () => Value): Promise<Value> => this.#call(host, what, serve)
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

  #read(what: string, piece: Uint8Array): Uint8Array {
    const { plan, faults } = this.#circumstances
    if (!this.#random.chance(plan.snapshot.damaged)) return piece
    faults.add(what)
    return damaged(piece, this.#random)
  }

  #call<Value>(host: Host, what: string, serve: () => Value): Promise<Value> {
    if (!host.reach()) return never()
    const { scheduler, plan, faults } = this.#circumstances
    const random = this.#random
    const hit = (chance: number, fault: string): boolean => random.chance(chance) && (faults.add(fault), true)
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        host.excuse = 'snapshots could not be reached'
        reject(new Error('the snapshot store does not answer'))
      }
      const answer = (settle: () => void): void => void host.after(random.between(WAY_us.least, WAY_us.most), `${what}: answer`, settle)
      if (!host.connected || hit(plan.snapshot.failedBefore, 'snapshot call lost')) return answer(fail)
      const failed = hit(plan.snapshot.failedAfter, 'snapshot answer lost')
      scheduler.after(random.between(WAY_us.least, WAY_us.most), what, host.name, () => {
        const value = serve()
        answer(failed ? fail : () => resolve(value))
      })
    })
  }
}
