import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import type { NatsAccess } from '../../src/actors/runtime/transport.ts'
import type { FeedEvent, FeedMessage } from '../../src/protocol/feed.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { Subjects } from '../../src/protocol/subjects.ts'

type Kind = FeedEvent['type']
export type FeedMessageOf<K extends Kind> = Extract<FeedMessage, { readonly type: K }>

/** Reads one account's feed from its beginning, in order, each message once. */
export class FeedReader {
  readonly messages: FeedMessage[] = []
  readonly #connection: NatsConnection
  readonly #waiting = new Set<() => void>()
  #fault: Error | undefined

  private constructor(connection: NatsConnection) {
    this.#connection = connection
  }

  static async open(nats: NatsAccess, venue: string, account: AccountId): Promise<FeedReader> {
    const subjects = new Subjects(venue)
    const connection = await connectNats(nats, 'feed reader')
    const reader = new FeedReader(connection)
    const consumer = await jetstream(connection).consumers.get(subjects.feedStream, { filter_subjects: subjects.feed(account) })
    const incoming = await consumer.consume()
    void (async () => {
      for await (const message of incoming) reader.#take(JSON.parse(message.string()) as FeedMessage)
    })().catch((error: unknown) => reader.#fail(error as Error))
    return reader
  }

  /**
   * The first message of a kind that fits, once it is there.
   * @throws Error where the feed has a gap, or nothing fits in time
   */
  async next<K extends Kind>(kind: K, fits: (message: FeedMessageOf<K>) => boolean, timeout_ms = 60_000): Promise<FeedMessageOf<K>> {
    const deadline = Date.now() + timeout_ms
    for (;;) {
      if (this.#fault) throw this.#fault
      const found = this.messages.find((message): message is FeedMessageOf<K> => message.type === kind && fits(message as FeedMessageOf<K>))
      if (found) return found
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`the feed did not tell of the ${kind} in ${timeout_ms / 1_000} s`)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, left)
        this.#waiting.add(wake)
      })
    }
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  #take(message: FeedMessage): void {
    // A number that was there before is a repeat; one left out is a promise broken.
    if (message.seq <= this.messages.length) return
    if (message.seq !== this.messages.length + 1) return this.#fail(new Error(`the feed goes from ${this.messages.length} to ${message.seq}`))
    this.messages.push(message)
    for (const wake of this.#waiting) wake()
  }

  #fail(error: Error): void {
    this.#fault ??= error
    for (const wake of this.#waiting) wake()
  }
}
