import { jetstream } from '@nats-io/jetstream'
import type { JetStreamClient } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type { FeedSeal } from '../../enclave/feedSeal.ts'
import { feedNumber } from '../../protocol/feed.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import { Acknowledged } from './acknowledged.ts'
import type { FeedStream, FeedText } from './feed.ts'

const ack_ms = 5_000
const STREAM_HEADER = 'Nats-Expected-Stream'

/** Feeds, a tape or leaves, as JSON text in their JetStream stream. On a replicated stream a burst is stored as a whole or not at all. */
export class JetStreamFeed implements FeedStream {
  readonly #connection: NatsConnection
  readonly #client: JetStreamClient
  readonly #acknowledged: Acknowledged
  readonly #subjects: Subjects
  readonly #replicated: boolean
  readonly #seal: FeedSeal | null

  /** @param seal of feeds; they are stored as they are where none is given, and what is not a feed always */
  constructor(connection: NatsConnection, subjects: Subjects, replicas = 1, seal: FeedSeal | null = null) {
    this.#replicated = replicas > 1
    this.#seal = seal
    this.#connection = connection
    this.#client = jetstream(connection)
    this.#acknowledged = new Acknowledged(connection)
    this.#subjects = subjects
  }

  store(messages: readonly FeedText[]): Promise<void> {
    return this.#replicated && messages.length > 1 ? this.#storeAtomically(messages) : this.#storeInOrder(messages)
  }

  /**
   * Only the last message asks for an acknowledgement. One connection keeps order and a stream of one copy stores in order, so it speaks for all before
   * it: they go into the connection's buffer in one turn, which is sent as a whole or, at a disconnection, lost from some point on.
   */
  async #storeInOrder(messages: readonly FeedText[]): Promise<void> {
    const end = messages.length - 1
    const bytes = this.#encoded(messages)
    for (let i = 0; i < end; i++) this.#connection.publish(this.#subject(messages[i]!), bytes[i])
    await this.#acknowledged.publish(this.#subject(messages[end]!), bytes[end]!, { [STREAM_HEADER]: this.#stream(messages[end]!) }, ack_ms)
  }

  /** Where copies elect a leader, the first messages of a burst may go to one that stores nothing any more, and the last to the next. So: all of them or none. */
  async #storeAtomically(messages: readonly FeedText[]): Promise<void> {
    const end = messages.length - 1
    const bytes = this.#encoded(messages)
    const batch = await this.#client.startBatch(this.#subject(messages[0]!), bytes[0], { timeout: ack_ms })
    for (let i = 1; i < end; i++) batch.add(this.#subject(messages[i]!), bytes[i])
    const { count } = await batch.commit(this.#subject(messages[end]!), bytes[end], { timeout: ack_ms })
    if (count !== messages.length) throw new Error(`${count} of ${messages.length} messages were stored`)
  }

  /** A server that was killed may have acknowledged what it had not written. */
  onDoubt(call: () => void): void {
    void (async () => {
      for await (const { type } of this.#connection.status()) if (type === 'disconnect' || type === 'reconnect') call()
    })()
  }

  #subject(message: FeedText): string {
    if ('account' in message) return this.#subjects.feed(message.account)
    return 'actor' in message ? this.#subjects.receipts(message.actor) : this.#subjects.tape(message.market)
  }

  #encoded(messages: readonly FeedText[]): Uint8Array[] {
    const seal = this.#seal
    return seal === null ? encoded(messages) : messages.map((message) => ('account' in message ? seal.sealFeed(message.account, feedNumber(message.text), message.text) : Buffer.from(message.text)))
  }

  #stream(message: FeedText): string {
    if ('account' in message) return this.#subjects.feedStream
    return 'actor' in message ? this.#subjects.receiptStream : this.#subjects.tapeStream
  }
}

/** All of them with one call where, as nearly always, every character is one byte: a call for each costs as much as storing it. */
function encoded(messages: readonly FeedText[]): Uint8Array[] {
  const together = Buffer.from(messages.map(({ text }) => text).join(''))
  let length = 0
  for (const { text } of messages) length += text.length
  if (length !== together.length) return messages.map(({ text }) => Buffer.from(text))
  let from = 0
  return messages.map(({ text }) => together.subarray(from, (from += text.length)))
}
