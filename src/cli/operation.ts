import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import { leaseKey, readHolder } from '../actors/placement/keys.ts'
import { KvStore } from '../actors/placement/kvStore.ts'
import { connectNats, NatsTransport } from '../actors/runtime/transport.ts'
import { OutcomeUnknown } from '../client/errors.ts'
import { venueNatsAccess } from '../enclave/natsAccess.ts'
import { Asking } from '../operation/asking.ts'
import type { Said } from '../operation/asking.ts'
import { HeardStatuses } from '../operation/heardStatuses.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { PairCommand, PairQuery } from '../protocol/pair.ts'
import type { ShardCommand } from '../protocol/shard.ts'
import type { OperatorQuery } from '../protocol/vault.ts'
import type { Venue } from '../protocol/venue.ts'
import type { SettlementQuery } from '../settlement/settlementStatus.ts'
import type { WatcherQuery } from '../settlement/watcherStatus.ts'
import { Declined } from './fault.ts'
import type { Place } from './place.ts'

/** Actors speak every second. */
const round_ms = 1_500

/** How long an actor may take to answer, between owners for instance. */
const ask_ms = 30_000

/** Somebody waits to see what there is. */
const heard_ms = 5_000

/** An actor was told something, and has not answered. */
export class Unanswered extends OutcomeUnknown {
  constructor(sentence: string) {
    super(undefined)
    this.message = `${sentence}: say the same again, \`darkpool status\` shows who runs`
    this.name = 'Unanswered'
  }
}

/** What the venue's operator sees and does: the placement of actors, and what they say of themselves. */
export class Operation {
  readonly venue: Venue
  readonly store: KvStore
  readonly #connection: NatsConnection
  readonly #heard: HeardStatuses
  readonly #asking: Asking

  private constructor(venue: Venue, store: KvStore, connection: NatsConnection) {
    this.venue = venue
    this.store = store
    this.#connection = connection
    const transport = new NatsTransport(connection)
    this.#heard = new HeardStatuses(transport, venue.subjects)
    this.#asking = new Asking(transport, venue.subjects, `operator-${randomBytes(8).toString('hex')}`)
  }

  static async open(place: Place): Promise<Operation> {
    const venue = place.venue('--state')
    const connection = await connectNats(await venueNatsAccess(await place.keys(), venue.file), 'darkpool')
    return new Operation(venue, await KvStore.open(connection, venue.subjects, venue.file.nats.replicas ?? 1), connection)
  }

  /** What every actor says, once each had time to speak. */
  async statuses(): Promise<ReadonlyMap<ActorName, ActorStatus>> {
    await delay(round_ms)
    return new Map(this.#heard.all.map((status) => [status.actor, status]))
  }

  /** Resolves with the first status that is as wanted; null after `limit_ms`. */
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

  /** Who runs an actor now, by its lease. @throws Declined where nobody does */
  async ownerOf(actor: ActorName): Promise<string> {
    const owner = readHolder((await this.store.read()).get(leaseKey(actor)))
    if (owner === null) throw new Declined(`nobody runs ${actor} now: actor_unavailable`)
    return owner.node
  }

  /**
   * Has the shard of a node do something, and gives what it answers.
   * @throws Unanswered after `limit_ms`, Declined where it refuses
   */
  askShard<Value>(node: string, command: ShardCommand, limit_ms: number): Promise<Value> {
    return this.#ask(`the shard of node ${node}`, this.venue.subjects.shard(node), { command }, limit_ms)
  }

  /**
   * Has an actor do or say something, and gives what it answers. What gets no answer is said again: whatever an operator says may be said twice.
   * @throws Unanswered after `limit_ms`, Declined where the actor refuses
   */
  ask<Value>(actor: ActorName, item: { readonly command: PairCommand } | { readonly query: PairQuery | OperatorQuery | SettlementQuery | WatcherQuery }, limit_ms = ask_ms): Promise<Value> {
    return this.#ask(actor, this.venue.subjects.clients(actor), item, limit_ms)
  }

  /** The same for what is only to be shown: null where nobody answers, and others are to be asked all the same. */
  async heard<Value>(...[actor, item]: Parameters<Operation['ask']>): Promise<Value | null> {
    try {
      return await this.ask<Value>(actor, item, heard_ms)
    } catch (error) {
      if (error instanceof Unanswered) return null
      throw error
    }
  }

  async #ask<Value>(whom: string, subject: string, said: Said, limit_ms: number): Promise<Value> {
    const answer = await this.#asking.ask(subject, said, limit_ms)
    if (answer === null) throw new Unanswered(`${whom} does not answer`)
    if ('refused' in answer) throw new Declined(`${whom} refuses: ${answer.refused}${answer.detail === undefined ? '' : ` (${answer.detail})`}`)
    return answer.ok as Value
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }
}
