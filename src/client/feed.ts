import { DeliverPolicy, jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type { FeedMessage } from '../protocol/feed.ts'
import type { AccountId } from '../protocol/identity.ts'
import { Subjects } from '../protocol/subjects.ts'

/** A number is missing: what came between can be read again from the feed's beginning, or from the routes that read the account. */
export class FeedGap extends Error {
  constructor(expected: number, found: number) {
    super(`The feed goes from ${expected - 1} to ${found}.`)
    this.name = 'FeedGap'
  }
}

/** Puts what a feed delivers in order: lets the next number through, drops repeats, and notices what is missing. */
export class FeedOrder {
  #next: number | null

  /** @param after the last number the reader has seen; null to begin with whatever comes first */
  constructor(after: number | null) {
    this.#next = after === null ? null : after + 1
  }

  /** @returns whether the message is new @throws FeedGap */
  take(seq: number): boolean {
    if (this.#next !== null && seq < this.#next) return false
    if (this.#next !== null && seq > this.#next) throw new FeedGap(this.#next, seq)
    this.#next = seq + 1
    return true
  }
}

export interface FeedOptions {
  /** Messages up to this number are left out; 0 for all that are kept. Default: only what is published from now on. */
  readonly after?: number
  readonly signal?: AbortSignal
}

/**
 * An account's feed over a connection that may read it: every message once and in order, until the signal or an early return ends it.
 * @throws FeedGap
 */
export async function* readFeed(connection: NatsConnection, venue: string, account: string, { after, signal }: FeedOptions = {}): AsyncGenerator<FeedMessage> {
  const subjects = new Subjects(venue)
  const deliver_policy = after === undefined ? DeliverPolicy.New : DeliverPolicy.All
  const consumer = await jetstream(connection).consumers.get(subjects.feedStream, { filter_subjects: subjects.feed(account as AccountId), deliver_policy })
  const incoming = await consumer.consume()
  const stop = (): void => incoming.stop()
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  const order = new FeedOrder(after ?? null)
  try {
    for await (const delivered of incoming) {
      const message = JSON.parse(delivered.string()) as FeedMessage
      // A feed that was trimmed begins later than its first number; from there on nothing may be missing.
      if (order.take(message.seq)) yield message
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    stop()
  }
}
