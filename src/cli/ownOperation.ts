import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import { KvStore } from '../actors/placement/kvStore.ts'
import { setDrain, setPin } from '../actors/placement/pins.ts'
import type { Entry } from '../actors/placement/store.ts'
import { connectNats, NatsTransport } from '../actors/runtime/transport.ts'
import { venueNatsAccess } from '../enclave/natsAccess.ts'
import { Asking } from '../operation/asking.ts'
import type { Said } from '../operation/asking.ts'
import { HeardStatuses } from '../operation/heardStatuses.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { ShardCommand } from '../protocol/shard.ts'
import type { Venue } from '../protocol/venue.ts'
import { NatsAway } from './fault.ts'
import { answerOf, ask_ms } from './operation.ts'
import type { ActorCommand, ActorQuery, Operation } from './operation.ts'
import type { Place } from './place.ts'

/** Actors speak every second. */
const round_ms = 1_500

/** Over the venue's own connection, for whoever has its root key. */
export class OwnOperation implements Operation {
  readonly venue: Venue
  readonly #store: KvStore
  readonly #connection: NatsConnection
  readonly #heard: HeardStatuses
  readonly #asking: Asking

  private constructor(venue: Venue, store: KvStore, connection: NatsConnection) {
    this.venue = venue
    this.#store = store
    this.#connection = connection
    const transport = new NatsTransport(connection)
    this.#heard = new HeardStatuses(transport, venue.subjects)
    this.#asking = new Asking(transport, venue.subjects, `operator-${randomBytes(8).toString('hex')}`)
  }

  static async open(place: Place): Promise<OwnOperation> {
    const venue = place.venue('--state')
    const access = await venueNatsAccess(await place.keys(), venue.file)
    const connection = await connectNats(access, 'darkpool').catch((error: unknown) => {
      throw new NatsAway((error as Error).message, error)
    })
    return new OwnOperation(venue, await KvStore.open(connection, venue.subjects, venue.file.nats.replicas ?? 1), connection)
  }

  placement(): Promise<ReadonlyMap<string, Entry>> {
    return this.#store.read()
  }

  pin(actor: ActorName, node: string | null): Promise<void> {
    return setPin(this.#store, actor, node)
  }

  drain(node: string, drained: boolean): Promise<void> {
    return setDrain(this.#store, node, drained)
  }

  async statuses(): Promise<ReadonlyMap<ActorName, ActorStatus>> {
    await delay(round_ms)
    return new Map(this.#heard.all.map((status) => [status.actor, status]))
  }

  async until(wanted: (status: ActorStatus) => boolean, limit_ms: number): Promise<ActorStatus | null> {
    const { promise, resolve } = Promise.withResolvers<ActorStatus | null>()
    const notAnyMore = this.#heard.on((status) => {
      if (wanted(status)) resolve(status)
    })
    const late = setTimeout(() => resolve(null), limit_ms)
    try {
      return await promise
    } finally {
      clearTimeout(late)
      notAnyMore()
    }
  }

  askShard<Value>(node: string, command: ShardCommand, limit_ms: number): Promise<Value> {
    return this.#ask(`the shard of node ${node}`, this.venue.subjects.shard(node), { command }, limit_ms)
  }

  ask<Value>(actor: ActorName, query: ActorQuery, limit_ms = ask_ms): Promise<Value> {
    return this.#ask(actor, this.venue.subjects.clients(actor), { query }, limit_ms)
  }

  tell<Value>(actor: ActorName, command: ActorCommand, limit_ms = ask_ms): Promise<Value> {
    return this.#ask(actor, this.venue.subjects.clients(actor), { command }, limit_ms)
  }

  async #ask<Value>(whom: string, subject: string, said: Said, limit_ms: number): Promise<Value> {
    return answerOf(whom, await this.#asking.ask(subject, said, limit_ms))
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }
}
