import type { NatsConnection, Subscription } from '@nats-io/transport-node'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { Ticks } from '../../src/protocol/identity.ts'
import type { AnswerPacket, ClientPacket } from '../../src/protocol/packets.ts'
import type { MarketStatus, PairQuery } from '../../src/protocol/pair.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import type { Venue } from '../../src/protocol/venue.ts'

/** Stands where all pair actors of a venue would, for what a market says of itself: over real NATS, as a test says. */
export class FakePair {
  /** Questions so far. */
  asked = 0
  /** null: says nothing. */
  status: MarketStatus | null = { state: 'open', lowTicks: 1 as Ticks, highTicks: 100_000 as Ticks }
  readonly #connection: NatsConnection
  readonly #venue: Venue
  readonly #subscriptions: Subscription[] = []

  constructor(connection: NatsConnection, venue: Venue) {
    this.#connection = connection
    this.#venue = venue
  }

  async open(): Promise<void> {
    for (const name of this.#venue.markets.keys()) {
      const from = pairActor(name)
      const callback = (failure: Error | null, message: { data: Uint8Array }): void => {
        if (failure !== null) return
        const { gateway, items } = decode<ClientPacket<never, PairQuery>>(message.data)
        this.asked += items.length
        const { status } = this
        if (status === null) return
        const answers = items.map(({ request }) => ({ request, answer: { ok: status } }))
        this.#connection.publish(this.#venue.subjects.answers(gateway), encode({ from, answers } satisfies AnswerPacket))
      }
      this.#subscriptions.push(this.#connection.subscribe(this.#venue.subjects.clients(from), { callback }))
    }
    await this.#connection.flush()
  }

  async close(): Promise<void> {
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe()
    await this.#connection.flush()
  }
}
