import { Placement } from '../../src/actors/placement/placement.ts'
import type { ActorHost } from '../../src/actors/placement/placement.ts'
import type { Log } from '../../src/actors/runtime/log.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { Host } from '../host.ts'
import type { Random } from '../random.ts'
import type { Verdict } from '../violation.ts'
import type { Bucket } from './bucket.ts'
import type { Journals } from './journals.ts'

const START_us = { least: 20_000, most: 800_000 }
const APPEND_us = { least: 10_000, most: 300_000 }
const DRAIN_us = { least: 1_000, most: 400_000 }
const DRAIN_ms = 5_000

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** One actor in one node, from its start to its end. */
interface Running {
  /** Of its own record in the journal; null until it has taken over. */
  epoch: number | null
  ended: boolean
}

export interface NodeParts {
  readonly name: string
  readonly host: Host
  readonly actors: readonly ActorName[]
  readonly bucket: Bucket
  readonly journals: Journals
  readonly random: Random
  readonly verdict: Verdict
  /** Appends although the journal has another owner by now, because it holds a lease: a mistake made on purpose. */
  readonly believesLease: boolean
}

/** A shard process: the real placement, and actors that do nothing but append to their journals. */
export class Node implements ActorHost {
  readonly name: string
  readonly host: Host
  readonly placement: Placement
  readonly #parts: NodeParts
  readonly #running = new Map<ActorName, Running>()
  leaving = false

  constructor(parts: NodeParts) {
    const { name, host, actors, bucket } = parts
    this.#parts = parts
    this.name = name
    this.host = host
    this.placement = new Placement({
      node: name,
      instance: host.name,
      actors,
      store: bucket.reachedBy(host),
      host: this,
      clock: host.clock,
      log: quiet,
      drain_ms: DRAIN_ms,
      superseded: () => host.die(),
    })
    void this.placement.start()
  }

  /** Which actors run here, with the epoch of each. */
  get running(): ReadonlyMap<ActorName, number | null> {
    return new Map([...this.#running].filter(([, { ended }]) => !ended).map(([actor, { epoch }]) => [actor, epoch]))
  }

  /** As at SIGTERM: gives everything back, then the process is gone. */
  leave(): void {
    if (this.leaving) return
    this.leaving = true
    void this.placement.leave().then(() => this.host.die())
  }

  run(actor: ActorName): Promise<void> {
    const { host, random, verdict } = this.#parts
    verdict.holds(!this.#running.has(actor), 'an actor runs once in a node', () => `${host.name} starts ${actor}, which it has`)
    const running: Running = { epoch: null, ended: false }
    this.#running.set(actor, running)
    return new Promise((resolve) => {
      host.after(random.between(START_us.least, START_us.most), 'runs', () => {
        if (running.ended) return
        running.epoch = this.#parts.journals.takeOver(actor, host)
        resolve()
        this.#append(actor, running)
      })
    })
  }

  drain(actor: ActorName): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.host.after(this.#parts.random.between(DRAIN_us.least, DRAIN_us.most), 'drained', () => {
        this.#end(actor)
        resolve()
      })
    })
  }

  async abandon(actor: ActorName): Promise<void> {
    this.#end(actor)
  }

  #end(actor: ActorName): void {
    const running = this.#running.get(actor)
    if (running === undefined) return
    running.ended = true
    this.#running.delete(actor)
  }

  #append(actor: ActorName, running: Running): void {
    const { host, random, journals, believesLease } = this.#parts
    host.after(random.between(APPEND_us.least, APPEND_us.most), 'appends', () => {
      if (running.ended || running.epoch === null) return
      if (journals.append(actor, host, running.epoch, believesLease)) return this.#append(actor, running)
      // The thread ends by itself; the node hears of it.
      running.ended = true
      this.placement.fenced(actor)
    })
  }
}
