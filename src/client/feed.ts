import { DeliverPolicy, jetstream } from '@nats-io/jetstream'
import type { OrderedConsumerOptions } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type { FeedMessage } from '../protocol/feed.ts'
import type { AccountId } from '../protocol/identity.ts'
import { Subjects } from '../protocol/subjects.ts'
import { delay } from './delay.ts'

/**
 * A server that was restarted has forgotten its consumers: two heartbeats without a word, and the client makes a new one. Left to the
 * defaults of the library a reader learns after 40 s what happened meanwhile.
 */
const HEARTBEAT_MS = 1_000
const PULL_MS = 10_000
const RETRY_MS = 250
/** How far before the last message a reader begins again; what it has seen it drops. */
const OVERLAP_MS = 5_000

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
 * An account's feed over a connection that may read it: every message once and in order, until the signal or an early return ends it, or the
 * connection is closed. A server that is away for a while only delays it.
 * @throws FeedGap
 */
export async function* readFeed(connection: NatsConnection, venue: string, account: string, { after, signal }: FeedOptions = {}): AsyncGenerator<FeedMessage> {
  const subjects = new Subjects(venue)
  const order = new FeedOrder(after ?? null)
  const filter = { filter_subjects: subjects.feed(account as AccountId) }
  const begun = new Date().toISOString()
  let heard: string | undefined
  for (let attempt = 0; ; attempt++) {
    try {
      const consumer = await jetstream(connection).consumers.get(subjects.feedStream, { ...filter, ...from(heard, after, attempt === 0 ? null : begun) })
      const incoming = await consumer.consume({ expires: PULL_MS, idle_heartbeat: HEARTBEAT_MS })
      const stop = (): void => incoming.stop()
      let again = false
      const unfollow = whenBack(connection, () => {
        again = true
        stop()
      })
      signal?.addEventListener('abort', stop, { once: true })
      if (signal?.aborted) stop()
      try {
        for await (const delivered of incoming) {
          heard = new Date(Number(delivered.timestampNanos / 1_000_000n) - OVERLAP_MS).toISOString()
          const message = JSON.parse(delivered.string()) as FeedMessage
          // A feed that was trimmed begins later than its first number; from there on nothing may be missing.
          if (order.take(message.seq)) yield message
        }
        // A consumer may also end by itself, with the server that it was on; only who reads ends the reading.
        if (signal?.aborted || connection.isClosed()) return
        if (!again) await delay(RETRY_MS)
      } finally {
        unfollow()
        signal?.removeEventListener('abort', stop)
        stop()
      }
    } catch (error) {
      if (error instanceof FeedGap || connection.isClosed()) throw error
      if (signal?.aborted) return
      // The server was away while a consumer was made, or made anew: the feed is still there, from where it was left.
      await delay(RETRY_MS)
    }
  }
}

/**
 * Where in the stream to begin: by the time of what was read last, since a server that was killed may have lost its newest messages and gives their places in the
 * stream to others; otherwise where the reader asked for, which `begun` tells later attempts.
 */
function from(heard: string | undefined, after: number | undefined, begun: string | null): Partial<OrderedConsumerOptions> {
  if (heard !== undefined) return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: heard }
  if (after !== undefined) return { deliver_policy: DeliverPolicy.All }
  return begun === null ? { deliver_policy: DeliverPolicy.New } : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: begun }
}

/** Calls once a lost connection is back, until the function it gives back is called. */
function whenBack(connection: NatsConnection, call: () => void): () => void {
  let following = true
  void (async () => {
    for await (const { type } of connection.status()) {
      if (!following) return
      if (type === 'reconnect') call()
    }
  })()
  return () => void (following = false)
}
