import { jetstream, JetStreamApiError } from '@nats-io/jetstream'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { headers } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import type { Subjects } from '../../protocol/subjects.ts'
import type { Entry, PlacementStore } from './store.ts'

const WRONG_LAST_SEQUENCE = 10071
const OPERATION = 'KV-Operation'
/** The server's own marker of a key that lapsed. */
const REASON = 'Nats-Marker-Reason'
/** How long the server keeps the marker of a key that lapsed. */
const marker_ms = 2_000
const answer_ms = 2_000

const decoder = new TextDecoder()

/**
 * The placement of a venue as one KV bucket. All of it is read with one request, which any server of the stream may answer: no watch that could
 * miss something while a connection is away. What is read may be a little old; what is written names the revision it follows, so that of
 * two who decide by the same old look only one succeeds.
 */
export class KvStore implements PlacementStore {
  readonly #stream: string
  readonly #prefix: string
  readonly #client: JetStreamClient
  readonly #manager: JetStreamManager

  private constructor(bucket: string, client: JetStreamClient, manager: JetStreamManager) {
    this.#stream = `KV_${bucket}`
    this.#prefix = `$KV.${bucket}.`
    this.#client = client
    this.#manager = manager
  }

  /** Opens the bucket, and makes it where it is not there yet. */
  static async open(connection: NatsConnection, subjects: Subjects, replicas: number): Promise<KvStore> {
    const bucket = subjects.placementBucket
    await new Kvm(connection).create(bucket, { history: 1, markerTTL: marker_ms, replicas })
    const client = jetstream(connection, { timeout: answer_ms })
    return new KvStore(bucket, client, await client.jetstreamManager(false))
  }

  async read(): Promise<ReadonlyMap<string, Entry>> {
    const entries = new Map<string, Entry>()
    try {
      const found = await this.#manager.direct.getLastMessagesFor(this.#stream, { multi_last: [`${this.#prefix}>`] })
      // The client library waits for ever for a server that went away in the middle.
      const late = setTimeout(() => found.stop(new Error(`the bucket ${this.#stream} was not read within ${answer_ms} ms`)), answer_ms)
      try {
        for await (const message of found) {
          const gone = message.header.has(OPERATION) || message.header.has(REASON)
          entries.set(message.subject.slice(this.#prefix.length), { value: gone ? null : decoder.decode(message.data), revision: message.seq })
        }
      } finally {
        clearTimeout(late)
      }
    } catch (error) {
      // The server says "no results" of an empty bucket.
      if (error instanceof JetStreamApiError && error.status === 404) return entries
      throw error
    }
    return entries
  }

  async write(key: string, value: string | null, after: number, ttl_s: number | null): Promise<number | null> {
    const head = headers()
    if (value === null) head.set(OPERATION, 'DEL')
    try {
      const options = { headers: head, expect: { lastSubjectSequence: after }, timeout: answer_ms, ...(ttl_s !== null && { ttl: `${ttl_s}s` }) }
      return (await this.#client.publish(this.#prefix + key, value ?? '', options)).seq
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return null
      throw error
    }
  }
}
