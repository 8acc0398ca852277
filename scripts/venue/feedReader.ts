import type { NatsConnection } from '@nats-io/transport-node'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import type { NatsAccess } from '../../src/actors/runtime/transport.ts'
import { readFeed } from '../../src/client/feed.ts'
import type { FeedEvent, FeedMessage } from '../../src/protocol/feed.ts'
import type { AccountId } from '../../src/protocol/identity.ts'

type Kind = FeedEvent['type']
export type FeedMessageOf<K extends Kind> = Extract<FeedMessage, { readonly type: K }>

/** Reads one account's feed from its beginning, in order, each message once. */
export class FeedReader {
  readonly messages: FeedMessage[] = []
  readonly #connection: NatsConnection
  readonly #waiting = new Set<() => void>()
  readonly #ended = new AbortController()
  #fault: Error | undefined

  private constructor(connection: NatsConnection) {
    this.#connection = connection
  }

  static async open(nats: NatsAccess, venue: string, account: AccountId): Promise<FeedReader> {
    const connection = await connectNats(nats, 'feed reader')
    const reader = new FeedReader(connection)
    void reader.#follow(venue, account).catch((error: unknown) => reader.#fail(error as Error))
    return reader
  }

  /**
   * The first message of a kind that fits, once it is there.
   * @throws Error where the feed has a gap, or nothing fits in time
   */
  async next<K extends Kind>(kind: K, fits: (message: FeedMessageOf<K>) => boolean, timeout_ms = 60_000): Promise<FeedMessageOf<K>> {
    const deadline = Date.now() + timeout_ms
    for (;;) {
      this.requireSound()
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

  /** @throws Error where the feed has a gap: nothing is read behind it */
  requireSound(): void {
    if (this.#fault) throw this.#fault
  }

  /** @throws Error where the feed had a gap */
  async close(): Promise<void> {
    this.#ended.abort()
    await this.#connection.close()
    this.requireSound()
  }

  async #follow(venue: string, account: AccountId): Promise<void> {
    for await (const message of readFeed(this.#connection, venue, account, { after: 0, signal: this.#ended.signal })) {
      this.messages.push(message)
      for (const wake of this.#waiting) wake()
    }
  }

  #fail(error: Error): void {
    if (this.#ended.signal.aborted) return
    this.#fault ??= error
    for (const wake of this.#waiting) wake()
  }
}
