import type { Entry, PlacementStore } from '../../src/actors/placement/store.ts'
import type { Host } from '../host.ts'
import type { Random } from '../random.ts'
import type { Scheduler } from '../scheduler.ts'

const TIMEOUT_us = 2_000_000
const WAY_us = { least: 200, most: 3_000 }
const SLOW_us = { least: 50_000, most: 2_500_000 }
/** How long it is known that a key was deleted or has lapsed. */
const MARKER_us = 2_000_000
/** How old a look at most is that another copy of the stream answers with. */
const STALE_us = 500_000

/** Chances, for each call. */
export interface BucketFaults {
  readonly requestLost: number
  readonly answerLost: number
  readonly slow: number
  readonly stale: number
}

interface Kept {
  readonly value: string | null
  readonly revision: number
  /** When it lapses, or is forgotten where it has no value. */
  readonly until_us: number
}

/** The placement bucket of a venue as its nodes reach it: keys lapse, calls and answers get lost, and what is read may be a little old. */
export class Bucket {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #keys = new Map<string, Kept>()
  #looks: { readonly at_us: number; readonly entries: ReadonlyMap<string, Entry> }[] = []
  #revision = 0
  faults: BucketFaults
  /** Nobody reaches it until then. */
  awayUntil_us = 0

  constructor(scheduler: Scheduler, random: Random, faults: BucketFaults) {
    this.#scheduler = scheduler
    this.#random = random
    this.faults = faults
  }

  /** As one host reaches it. */
  reachedBy(host: Host): PlacementStore {
    return {
      read: () => this.#request(host, () => this.#read()),
      write: (key, value, after, ttl_s) => this.#request(host, () => this.write(key, value, after, ttl_s)),
    }
  }

  /** As it stands. */
  get entries(): ReadonlyMap<string, Entry> {
    this.#lapse()
    return new Map(Array.from(this.#keys, ([key, { value, revision }]) => [key, { value, revision }]))
  }

  write(key: string, value: string | null, after: number, ttl_s: number | null): number | null {
    this.#lapse()
    if ((this.#keys.get(key)?.revision ?? 0) !== after) return null
    const { now_us } = this.#scheduler
    const until_us = value === null ? now_us + MARKER_us : ttl_s === null ? Infinity : now_us + ttl_s * 1_000_000
    this.#keys.set(key, { value, revision: ++this.#revision, until_us })
    return this.#revision
  }

  #read(): ReadonlyMap<string, Entry> {
    const { now_us } = this.#scheduler
    const { entries } = this
    this.#looks = [...this.#looks.filter(({ at_us }) => at_us >= now_us - STALE_us), { at_us: now_us, entries }]
    return this.#random.chance(this.faults.stale) ? this.#random.pick(this.#looks).entries : entries
  }

  #lapse(): void {
    const { now_us } = this.#scheduler
    for (const [key, { value, until_us }] of this.#keys) {
      if (until_us > now_us) continue
      if (value === null) this.#keys.delete(key)
      else this.#keys.set(key, { value: null, revision: ++this.#revision, until_us: until_us + MARKER_us })
    }
  }

  /** A call and its answer, each of which can be lost; the caller waits only so long. */
  #request<Value>(host: Host, serve: () => Value): Promise<Value> {
    const random = this.#random
    return new Promise((resolve, reject) => {
      if (!host.reach()) return
      const giveUp = host.after(TIMEOUT_us, 'bucket: no answer', () => reject(new Error('no answer in time')))
      if (random.chance(this.faults.requestLost)) return
      const lost = random.chance(this.faults.answerLost)
      const way_us = random.chance(this.faults.slow) ? random.between(SLOW_us.least, SLOW_us.most) : random.between(WAY_us.least, WAY_us.most)
      this.#scheduler.after(way_us, 'bucket', host.name, () => {
        if (this.#scheduler.now_us < this.awayUntil_us) return
        const value = serve()
        if (lost) return
        host.after(random.between(WAY_us.least, WAY_us.most), 'bucket: answer', () => {
          giveUp()
          resolve(value)
        })
      })
    })
  }
}
