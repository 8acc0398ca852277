import type { NatsConnection } from '@nats-io/transport-node'
import { drainKey } from '../../actors/placement/keys.ts'
import { KvStore } from '../../actors/placement/kvStore.ts'
import { setDrain, setPin } from '../../actors/placement/pins.ts'
import { NatsTransport } from '../../actors/runtime/transport.ts'
import { Asking } from '../../operation/asking.ts'
import type { Said } from '../../operation/asking.ts'
import { HeardStatuses } from '../../operation/heardStatuses.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { ActorName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { DeskPlacement, DeskRequest } from '../../protocol/operator.ts'
import type { Answer } from '../../protocol/packets.ts'
import type { ShardCommand } from '../../protocol/shard.ts'
import type { Venue } from '../../protocol/venue.ts'
import { failure } from '../log.ts'
import type { Log } from '../log.ts'

/** How long an actor or a shard may take to answer, between owners for instance, and how long a snapshot: it replays what has happened since the one before. */
const ANSWER_MS = 30_000
const SNAPSHOT_MS = 300_000

/** Does what operators ask, with the gateway's own connection in the venue's account. Who may ask it is looked at before. */
export class Errands {
  readonly #venue: Venue
  readonly #connection: NatsConnection
  readonly #log: Log
  readonly #asking: Asking
  readonly #heard: HeardStatuses
  #store: Promise<KvStore> | null = null

  /** @param name where answers of actors and shards go, and nobody else's */
  constructor(venue: Venue, connection: NatsConnection, name: string, log: Log) {
    this.#venue = venue
    this.#connection = connection
    this.#log = log
    const transport = new NatsTransport(connection)
    this.#asking = new Asking(transport, venue.subjects, name)
    this.#heard = new HeardStatuses(transport, venue.subjects)
  }

  /** @throws Refusal request_malformed where the venue has no such actor, or it is none that takes commands, or where names of nodes are made up */
  async do(request: DeskRequest): Promise<Answer> {
    switch (request.kind) {
      case 'venue':
        return { ok: this.#venue.file }
      case 'statuses':
        return { ok: this.#heard.all }
      case 'placement':
        return this.#stored(async (store) => [...(await store.read())] satisfies DeskPlacement)
      case 'ask':
        return this.#ask(this.#actor(request.actor), { query: request.query })
      case 'tell':
        return this.#ask(this.#pair(request.actor), { command: request.command })
      case 'shardMetrics':
        return this.#shard(request.node, { kind: 'metrics' }, ANSWER_MS)
      case 'snapshot':
        return this.#shard(request.node, { kind: 'snapshot', actor: this.#actor(request.actor) }, SNAPSHOT_MS)
      case 'pin': {
        const actor = this.#actor(request.actor)
        return this.#stored(async (store) => (await setPin(store, actor, request.node), null))
      }
      case 'drain':
        return this.#stored((store) => this.#drain(store, request.node, request.drained))
    }
  }

  /** Whoever waits is told that the outcome is unknown. */
  close(): void {
    this.#asking.close()
    this.#heard.close()
  }

  #actor(name: string): ActorName {
    const actor = name as ActorName
    if (!this.#venue.actors.includes(actor)) throw new Refusal('request_malformed', 'actor')
    return actor
  }

  #pair(name: string): ActorName {
    if (!name.startsWith('pair.')) throw new Refusal('request_malformed', 'actor')
    return this.#actor(name)
  }

  #shard(node: string, command: ShardCommand, limit_ms: number): Promise<Answer> {
    return this.#answer(this.#venue.subjects.shard(node), { command }, limit_ms)
  }

  #ask(actor: ActorName, said: Said): Promise<Answer> {
    return this.#answer(this.#venue.subjects.clients(actor), said, ANSWER_MS)
  }

  async #answer(subject: string, said: Said, limit_ms: number): Promise<Answer> {
    return (await this.#asking.ask(subject, said, limit_ms)) ?? { refused: 'outcome_unknown' }
  }

  /** One that is down may be drained too, so that it stays empty; but everybody reads every name that ever was, so there is an end to them. */
  async #drain(store: KvStore, node: string, drained: boolean): Promise<null> {
    const known = [...(await store.read()).keys()].filter((key) => key.startsWith(drainKey('')))
    if (drained && known.length >= limits.drainedNodes && !known.includes(drainKey(node))) throw new Refusal('request_malformed', 'node')
    await setDrain(store, node, drained)
    return null
  }

  /** What is done with the placement of the venue. Where its bucket does not answer, it may have been done all the same. */
  async #stored<Value>(act: (store: KvStore) => Promise<Value>): Promise<Answer<Value>> {
    try {
      this.#store ??= KvStore.open(this.#connection, this.#venue.subjects, this.#venue.file.nats.replicas ?? 1)
      return { ok: await act(await this.#store) }
    } catch (error) {
      if (error instanceof Refusal) throw error
      this.#store = null
      this.#log.warn({ at: 'desk#stored', ...failure(error) }, 'the placement of actors cannot be read or written')
      return { refused: 'outcome_unknown' }
    }
  }
}
