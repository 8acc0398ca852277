import { leaseKey, readHolder } from '../actors/placement/keys.ts'
import type { Entry } from '../actors/placement/store.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { DeskRequest } from '../protocol/operator.ts'
import type { ActorStatus, Answer } from '../protocol/packets.ts'
import type { ShardCommand } from '../protocol/shard.ts'
import type { Venue } from '../protocol/venue.ts'
import { Declined, Unanswered } from './fault.ts'

/** How long an actor may take to answer, between owners for instance. */
export const ask_ms = 30_000

/** Somebody waits to see what there is. */
const heard_ms = 5_000

/** What an actor may be asked. */
export type ActorQuery = Extract<DeskRequest, { kind: 'ask' }>['query']

/** What an actor may be told. */
export type ActorCommand = Extract<DeskRequest, { kind: 'tell' }>['command']

/** What the venue's operator sees and does: the placement of actors, and what they say of themselves. Whatever an operator says may be said twice. */
export interface Operation {
  readonly venue: Venue

  /** Nodes, leases, pins and drains as they stand, by their keys (src/actors/placement/keys.ts). */
  placement(): Promise<ReadonlyMap<string, Entry>>

  /** Pins an actor to a node; null lets it go where it belongs. */
  pin(actor: ActorName, node: string | null): Promise<void>

  /** Has every actor leave a node, and none go there, or lets them again. */
  drain(node: string, drained: boolean): Promise<void>

  /** What every actor says, once each had time to speak. */
  statuses(): Promise<ReadonlyMap<ActorName, ActorStatus>>

  /** Resolves with the first status that is as wanted; null after `limit_ms`. */
  until(wanted: (status: ActorStatus) => boolean, limit_ms: number): Promise<ActorStatus | null>

  /**
   * Has an actor say something. What gets no answer is said again.
   * @throws Unanswered after `limit_ms`, Declined where the actor refuses
   */
  ask<Value>(actor: ActorName, query: ActorQuery, limit_ms?: number): Promise<Value>

  /** The same for what changes it. */
  tell<Value>(actor: ActorName, command: ActorCommand, limit_ms?: number): Promise<Value>

  /**
   * Has the shard of a node do something, and gives what it answers.
   * @throws Unanswered after `limit_ms`, Declined where it refuses
   */
  askShard<Value>(node: string, command: ShardCommand, limit_ms: number): Promise<Value>

  close(): Promise<void>
}

/** Who runs an actor now, by its lease. @throws Declined where nobody does */
export async function ownerOf(operation: Operation, actor: ActorName): Promise<string> {
  const owner = readHolder((await operation.placement()).get(leaseKey(actor)))
  if (owner === null) throw new Declined(`nobody runs ${actor} now: actor_unavailable`)
  return owner.node
}

/** Asks for what is only to be shown: null where nobody answers, and others are to be asked all the same. */
export async function heard<Value>(operation: Operation, actor: ActorName, query: ActorQuery): Promise<Value | null> {
  try {
    return await operation.ask<Value>(actor, query, heard_ms)
  } catch (error) {
    if (error instanceof Unanswered) return null
    throw error
  }
}

/** What somebody has answered. @param answer null where they have not @throws Unanswered, Declined */
export function answerOf<Value>(whom: string, answer: Answer | null): Value {
  if (answer === null) throw new Unanswered(`${whom} does not answer`)
  if ('refused' in answer) throw new Declined(`${whom} refuses: ${answer.refused}${answer.detail === undefined ? '' : ` (${answer.detail})`}`)
  return answer.ok as Value
}
