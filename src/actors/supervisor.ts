import type { ActorName } from '../protocol/identity.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import { ActorThread } from './actorThread.ts'
import type { HostData } from './control.ts'
import type { Log } from './runtime/log.ts'

/** Starts, watches, replaces and ends the actors of one shard, each in a worker thread of its own. */
export class Supervisor {
  readonly #threads: ReadonlyMap<ActorName, ActorThread>

  constructor(actors: readonly ActorName[], data: Omit<HostData, 'port' | 'actor'>, log: Log) {
    this.#threads = new Map(actors.map((actor) => [actor, new ActorThread(actor, data, log)]))
  }

  /** Resolves when every actor runs. One that cannot is tried again and again; the others do not wait for it. */
  async start(): Promise<void> {
    await Promise.all(this.#each((thread) => thread.start()))
  }

  status(): Promise<ActorStatus[]> {
    return Promise.all(this.#each((thread) => thread.status()))
  }

  /** Ends every actor in order, within `limit_ms`. */
  async drain(limit_ms: number): Promise<void> {
    await Promise.all(this.#each((thread) => thread.drain(limit_ms)))
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

  #each<Value>(call: (thread: ActorThread) => Value): Value[] {
    return [...this.#threads.values()].map(call)
  }
}
