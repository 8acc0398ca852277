import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import type { Keypair } from '@stellar/stellar-sdk'
import { readFeed } from '../../src/client/feed.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import type { NatsAccess } from '../../src/client/natsAccess.ts'
import type { FeedEvent, FeedMessage } from '../../src/protocol/feed.ts'
import { tlsFirst } from '../../src/protocol/natsAccess.ts'

/** A gateway has to answer for whoever connects, which on a busy machine takes its time. */
const CONNECT_TIMEOUT_ms = 30_000

type Kind = FeedEvent['type']
export type FeedMessageOf<K extends Kind> = Extract<FeedMessage, { readonly type: K }>

/** Reads one account's feed from its beginning, in order, each message once: as a trader does, with the account's own key. */
export class FeedReader {
  readonly messages: FeedMessage[] = []
  readonly #connection: NatsConnection
  readonly #waiting = new Set<() => void>()
  readonly #ended = new AbortController()
  #fault: Error | undefined

  private constructor(connection: NatsConnection) {
    this.#connection = connection
  }

  /** @param trust of whom the servers' certificates are, where they speak TLS: PEM */
  static async open(servers: readonly string[], venue: string, key: Keypair, trust?: string): Promise<FeedReader> {
    const access = keyAccess(key.secret())
    const connection = await connect({ servers: [...servers], ...tlsFirst(trust), name: 'feed reader', timeout: CONNECT_TIMEOUT_ms, ...access.options })
    const reader = new FeedReader(connection)
    void reader.#follow(venue, access).catch((error: unknown) => reader.#fail(error as Error))
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

  async #follow(venue: string, access: NatsAccess): Promise<void> {
    for await (const message of readFeed(this.#connection, venue, access, { after: 0, signal: this.#ended.signal })) {
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
