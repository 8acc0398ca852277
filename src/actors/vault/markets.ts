import assert from 'node:assert/strict'
import type { ActorName, MarketName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Market } from '../../protocol/market.ts'
import { pairActor } from '../../protocol/subjects.ts'
import type { Venue } from '../../protocol/venue.ts'
import type { Effects } from '../runtime/machine.ts'

/** A market and the actor that keeps it. */
export interface Destination {
  readonly market: Market
  readonly actor: ActorName
}

/** Cancels free funds and are let through where new orders no longer are, up to this many times the bound. */
export const CANCEL_ROOM = 2

/** The venue's markets as a vault actor reaches them: where each is, and whether it keeps up with what it is sent. */
export class Markets {
  /** The longest that any market lets an order live: how far ahead a message that names no market may expire. */
  readonly longestLifetime_s: number
  readonly #destinations: ReadonlyMap<MarketName, Destination>

  constructor(venue: Venue) {
    this.#destinations = new Map([...venue.markets].map(([name, market]) => [name, { market, actor: pairActor(name) }]))
    this.longestLifetime_s = Math.max(...[...venue.markets.values()].map((market) => market.rules.maxLifetime_s))
  }

  /** One that somebody asked for. */
  find(name: MarketName): Destination | undefined {
    return this.#destinations.get(name)
  }

  /** One in which orders are known. */
  known(name: MarketName): Destination {
    const destination = this.#destinations.get(name)
    assert(destination !== undefined, 'a market that has orders stays in the configuration')
    return destination
  }

  /** Whether a market that is sent this much already is sent more orders. */
  takesOrders({ actor }: Destination, effects: Effects): boolean {
    return effects.backlog(actor) < limits.outboxMessages
  }

  /** Whether it is still sent what takes orders back. */
  takesCancels({ actor }: Destination, effects: Effects): boolean {
    return effects.backlog(actor) < limits.outboxMessages * CANCEL_ROOM
  }
}
