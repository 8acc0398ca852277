import { Meters } from '../monitoring/meters.ts'
import type { Readings } from '../monitoring/meters.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import { ActorThread } from './actorThread.ts'
import type { ShardData } from './control.ts'
import type { ActorHost } from './placement/placement.ts'
import type { FoundFault } from './runtime/journalFault.ts'
import type { Log } from './runtime/log.ts'

/** Starts, watches, replaces and ends the actors of one shard, each in a worker thread of its own. */
export class Supervisor implements ActorHost {
  readonly #threads = new Map<ActorName, ActorThread>()
  readonly #data: ShardData
  readonly #log: Log
  readonly #fenced: ((actor: ActorName) => void) | null

  /**
   * @param actors those that `start` starts; more may come and go
   * @param fenced hears of an actor whose journal has another writer: it is not started again
   */
  constructor(actors: readonly ActorName[], data: ShardData, log: Log, fenced: ((actor: ActorName) => void) | null = null) {
    this.#data = data
    this.#log = log
    this.#fenced = fenced
    for (const actor of actors) this.#thread(actor)
  }

  /** Resolves when every actor runs. One that cannot is tried again and again; the others do not wait for it. */
  async start(): Promise<void> {
    await Promise.all(this.#each((thread) => thread.start()))
  }

  run(actor: ActorName): Promise<void> {
    if (this.#threads.has(actor)) throw new Error(`${actor} runs in this shard already`)
    return this.#thread(actor).start()
  }

  async abandon(actor: ActorName): Promise<void> {
    await this.#end(actor, (thread) => thread.abandon())
  }

  async abandonAll(): Promise<void> {
    await Promise.all(this.#each((thread) => thread.abandon()))
  }

  status(): Promise<ActorStatus[]> {
    return Promise.all(this.#each((thread) => thread.status()))
  }

  /** What its operator's metrics are made of: of each thread, and which of them run. */
  async readings(): Promise<readonly Readings[]> {
    const meters = new Meters()
    const all = await Promise.all(
      this.#each(async (thread) => {
        const [readings, actor] = [await thread.readings(), { actor: thread.actor }]
        meters.set('darkpool_actor_running', readings === null ? 0 : 1, actor)
        meters.set('darkpool_actor_restarts_total', thread.restarts, actor)
        return readings ?? []
      }),
    )
    return [await meters.read(), ...all]
  }

  /** Ends one actor in order, within `limit_ms`. */
  async drain(actor: ActorName, limit_ms: number): Promise<void> {
    await this.#end(actor, (thread) => thread.drain(limit_ms))
  }

  /** Ends every actor in order, within `limit_ms`. */
  async drainAll(limit_ms: number): Promise<void> {
    await Promise.all(this.#each((thread) => thread.drain(limit_ms)))
  }

  /** Ends an actor whose journal does not lead to what it is. The others run on. */
  async distrust(actor: ActorName, fault: FoundFault): Promise<void> {
    await this.#threads.get(actor)?.distrust(fault)
  }

  /**
   * Kills one actor's thread, for fault tests; it is started again.
   * @throws Error where this shard has no such actor
   */
  async terminate(actor: ActorName): Promise<void> {
    const thread = this.#threads.get(actor)
    if (thread === undefined) throw new Error(`this shard has no actor ${actor}`)
    await thread.terminate()
  }

  async #end(actor: ActorName, end: (thread: ActorThread) => Promise<void>): Promise<void> {
    const thread = this.#threads.get(actor)
    if (thread === undefined) return
    await end(thread)
    if (this.#threads.get(actor) === thread) this.#threads.delete(actor)
  }

  #thread(actor: ActorName): ActorThread {
    const thread = new ActorThread(actor, this.#data, this.#log, this.#fenced && (() => this.#fenced?.(actor)))
    this.#threads.set(actor, thread)
    return thread
  }

  #each<Value>(call: (thread: ActorThread) => Value): Value[] {
    return [...this.#threads.values()].map(call)
  }
}
