import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import type { FeedEvent } from '../../src/protocol/feed.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import type { Venue } from '../../src/protocol/venue.ts'

/** Writes accounts' feeds as vault actors do: numbered from 1, into the venue's stream. */
export class FeedWriter {
  readonly #connection: NatsConnection
  readonly #venue: Venue
  readonly #written = new Map<string, number>()

  constructor(connection: NatsConnection, venue: Venue) {
    this.#connection = connection
    this.#venue = venue
  }

  open(): Promise<void> {
    return ensureStreams(this.#connection, this.#venue.subjects)
  }

  /** Resolves once all of them are stored. */
  async store(account: string, ...events: readonly FeedEvent[]): Promise<void> {
    const subject = this.#venue.subjects.feed(account as AccountId)
    for (const [n, event] of events.entries()) {
      const seq = (this.#written.get(account) ?? 0) + 1
      this.#written.set(account, seq)
      const text = JSON.stringify({ v: 1, seq, account, time: new Date(1_700_000_000_000 + seq * 1_000).toISOString(), ...event })
      if (n < events.length - 1) this.#connection.publish(subject, text)
      else await jetstream(this.#connection).publish(subject, text)
    }
  }

  /** Loses the stream. */
  async lose(): Promise<void> {
    await (await jetstreamManager(this.#connection, { checkAPI: false })).streams.delete(this.#venue.subjects.feedStream)
  }
}
