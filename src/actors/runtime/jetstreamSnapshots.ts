import { jetstream } from '@nats-io/jetstream'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type { ActorName } from '../../protocol/identity.ts'
import type { Subjects } from '../../protocol/subjects.ts'
import type { SnapshotStore, StoredSnapshot } from './snapshotStore.ts'

const append_ms = 10_000
/** Pieces fetched at once, how long they may take, and how often in a row nothing may come: among several servers the first request may be lost. */
const fetchPieces = 16
const defaultFetch_ms = 1_000
const fetchAttempts = 10

/** One actor's snapshots in a JetStream stream: each is a subject of its own, so that it can be let go as a whole. */
export class JetStreamSnapshots implements SnapshotStore {
  readonly #subjects: Subjects
  readonly #actor: ActorName
  readonly #client: JetStreamClient
  readonly #manager: Promise<JetStreamManager>
  readonly #fetch_ms: number

  constructor(connection: NatsConnection, subjects: Subjects, actor: ActorName, fetch_ms = defaultFetch_ms) {
    this.#subjects = subjects
    this.#actor = actor
    this.#fetch_ms = fetch_ms
    this.#client = jetstream(connection)
    this.#manager = this.#client.jetstreamManager(false)
  }

  async list(): Promise<readonly StoredSnapshot[]> {
    const all = this.#subject('*')
    const { state } = await (await this.#manager).streams.info(this.#subjects.snapshotStream, { subjects_filter: all })
    return Object.entries(state.subjects ?? {})
      .map(([subject, pieces]) => ({ name: subject.slice(all.length - 1), pieces }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async last(name: string): Promise<Uint8Array | null> {
    const message = await (await this.#manager).streams.getMessage(this.#subjects.snapshotStream, { last_by_subj: this.#subject(name) })
    return message === null ? null : message.data
  }

  async *read(name: string, pieces: number): AsyncIterable<Uint8Array> {
    const consumer = await this.#client.consumers.get(this.#subjects.snapshotStream, { filter_subjects: this.#subject(name) })
    try {
      for (let left = pieces, idle = 0; left > 0; ) {
        const before = left
        for await (const message of await consumer.fetch({ max_messages: Math.min(left, fetchPieces), expires: this.#fetch_ms })) {
          yield message.data
          left--
        }
        idle = left === before ? idle + 1 : 0
        // Nobody waits for what a snapshotter has let go.
        if (idle > 0 && (await this.last(name)) === null) throw new Error('a snapshot was let go while it was read')
        if (idle === fetchAttempts) throw new Error(`a snapshot's pieces do not come: ${left} of ${pieces} are missing after ${fetchAttempts * this.#fetch_ms} ms`)
      }
    } finally {
      await consumer.delete()
    }
  }

  /** An outcome in doubt fails: the row is given up and written anew under another name. */
  async append(name: string, piece: Uint8Array): Promise<void> {
    await this.#client.publish(this.#subject(name), piece, { timeout: append_ms, expect: { streamName: this.#subjects.snapshotStream } })
  }

  async remove(name: string): Promise<void> {
    await (await this.#manager).streams.purge(this.#subjects.snapshotStream, { filter: this.#subject(name) })
  }

  #subject(name: string): string {
    return this.#subjects.snapshot(this.#actor, name)
  }
}
