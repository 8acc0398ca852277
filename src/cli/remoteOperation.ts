import { setTimeout as delay } from 'node:timers/promises'
import type { Entry } from '../actors/placement/store.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { DeskPlacement, DeskRequest } from '../protocol/operator.ts'
import type { ActorStatus } from '../protocol/packets.ts'
import type { ShardCommand } from '../protocol/shard.ts'
import { readVenue } from '../protocol/venue.ts'
import type { Venue } from '../protocol/venue.ts'
import type { DeskLink } from './deskLink.ts'
import { Unanswered } from './fault.ts'
import { ask_ms } from './operation.ts'
import type { ActorCommand, ActorQuery, Operation } from './operation.ts'

const look_ms = 500

/** By way of the venue's gateways, for an operator whom its venue file names. */
export class RemoteOperation implements Operation {
  readonly venue: Venue
  readonly #desk: DeskLink

  private constructor(venue: Venue, desk: DeskLink) {
    this.venue = venue
    this.#desk = desk
  }

  /** @throws Unanswered, Declined; Error where the venue's file is of another version of this program */
  static async open(desk: DeskLink): Promise<RemoteOperation> {
    const file = await desk.ask<unknown>('the venue', { kind: 'venue' }, ask_ms)
    try {
      return new RemoteOperation(readVenue(file), desk)
    } catch (error) {
      throw new Error(`the venue has a file that this version of darkpool does not read: ${(error as Error).message}`, { cause: error })
    }
  }

  async placement(): Promise<ReadonlyMap<string, Entry>> {
    return new Map(await this.#ask<DeskPlacement>({ kind: 'placement' }))
  }

  async pin(actor: ActorName, node: string | null): Promise<void> {
    await this.#ask({ kind: 'pin', actor, node })
  }

  async drain(node: string, drained: boolean): Promise<void> {
    await this.#ask({ kind: 'drain', node, drained })
  }

  async statuses(): Promise<ReadonlyMap<ActorName, ActorStatus>> {
    return new Map((await this.#ask<readonly ActorStatus[]>({ kind: 'statuses' })).map((status) => [status.actor, status]))
  }

  async until(wanted: (status: ActorStatus) => boolean, limit_ms: number): Promise<ActorStatus | null> {
    const end = performance.now() + limit_ms
    for (let left = limit_ms; left > 0; left = end - performance.now()) {
      const found = (await this.#said(left)).find(wanted)
      if (found !== undefined) return found
      await delay(Math.min(look_ms, left))
    }
    return null
  }

  ask<Value>(actor: ActorName, query: ActorQuery, limit_ms = ask_ms): Promise<Value> {
    return this.#desk.ask(actor, { kind: 'ask', actor, query }, limit_ms)
  }

  tell<Value>(actor: ActorName, command: ActorCommand, limit_ms = ask_ms): Promise<Value> {
    return this.#desk.ask(actor, { kind: 'tell', actor, command }, limit_ms)
  }

  askShard<Value>(node: string, command: ShardCommand, limit_ms: number): Promise<Value> {
    return this.#desk.ask(`the shard of node ${node}`, command.kind === 'metrics' ? { kind: 'shardMetrics', node } : { ...command, node }, limit_ms)
  }

  async close(): Promise<void> {
    await this.#desk.close()
  }

  /** Nothing where nobody says anything: whoever waits goes on waiting. */
  async #said(limit_ms: number): Promise<readonly ActorStatus[]> {
    try {
      return await this.#desk.ask<readonly ActorStatus[]>('the venue', { kind: 'statuses' }, limit_ms)
    } catch (error) {
      if (error instanceof Unanswered) return []
      throw error
    }
  }

  #ask<Value>(request: DeskRequest): Promise<Value> {
    return this.#desk.ask('the venue', request, ask_ms)
  }
}
