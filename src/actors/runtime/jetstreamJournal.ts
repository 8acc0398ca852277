import { randomBytes } from 'node:crypto'
import { DeliverPolicy, jetstream, JetStreamApiError } from '@nats-io/jetstream'
import type { JetStreamClient, JetStreamManager, StoredMsg } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { limits } from '../../protocol/limits.ts'
import { Acknowledged } from './acknowledged.ts'
import { Appender, InDoubt } from './appender.ts'
import { systemClock } from './clock.ts'
import type { Journal, JournalEntry } from './journal.ts'
import { JournalFault } from './journalFault.ts'
import type { Log } from './log.ts'

const WRONG_LAST_SEQUENCE = 10071
/** A replicated stream cannot tell yet whether the expected sequence is the last. */
const WRONG_LAST_SEQUENCE_UNKNOWN = 10164
const ID_HEADER = 'Nats-Msg-Id'
const EXPECTED_HEADER = 'Nats-Expected-Last-Subject-Sequence'

/** An append without an answer for so long is in doubt. A slow disk makes doubt, not harm. */
const append_ms = 2_000
/** Stream sequences that one purge covers. */
const purgeStep = 1_000
/**
 * Among several servers a consumer may be slower to be there than the first request for its messages, which is then lost: two heartbeats without a word,
 * and it is made anew. By the library's default a market would wait half a minute for its new owner.
 */
const pull = { expires: 5_000, idle_heartbeat: 500 } as const
/** Records on their way while a journal is replayed: several of the largest. */
const prefetchBytes = 4 * limits.packetBytes

/** An actor's journal as one subject of a JetStream stream; each append names the sequence of the one before. */
export class JetStreamJournal implements Journal {
  readonly #stream: string
  readonly #subject: string
  readonly #client: JetStreamClient
  readonly #acknowledged: Acknowledged
  readonly #manager: Promise<JetStreamManager>
  readonly #appender: Appender
  /** Stream sequence of the last record that we gave or appended; 0 before the first. */
  #last = 0
  #replayed = false

  constructor(connection: NatsConnection, stream: string, subject: string, log: Log) {
    this.#stream = stream
    this.#subject = subject
    this.#client = jetstream(connection)
    this.#acknowledged = new Acknowledged(connection)
    this.#manager = this.#client.jetstreamManager(false)
    const store = {
      append: (record: Uint8Array, id: string, after: number) => this.#publish(record, id, after),
      last: () => this.#readEnd(),
    }
    this.#appender = new Appender(store, subject, randomBytes(8).toString('hex'), systemClock, log)
  }

  async *replay(after = 0): AsyncIterable<JournalEntry> {
    this.#last = Math.max(this.#last, after)
    const end = (await this.#readLast())?.seq ?? 0
    if (end < this.#last) throw new JournalFault('end_missing', null, `${this.#subject} ends at ${end}, its records were known up to ${this.#last}`)
    if (end > this.#last) {
      const from = { filter_subjects: this.#subject, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#last + 1 }
      const consumer = await this.#client.consumers.get(this.#stream, from)
      try {
        for await (const message of await consumer.consume({ ...pull, max_bytes: prefetchBytes })) {
          this.#last = message.seq
          yield { position: message.seq, record: message.data }
          if (message.seq >= end) break
        }
      } finally {
        await consumer.delete()
      }
    }
    if (end !== this.#last) throw new JournalFault('end_missing', null, `${this.#subject} ends at ${this.#last}, not at ${end}`)
    this.#replayed = true
  }

  async append(record: Uint8Array): Promise<void> {
    if (!this.#replayed) throw new Error(`${this.#subject} is not replayed yet`)
    this.#last = await this.#appender.append(record, this.#last)
  }

  async #publish(record: Uint8Array, id: string, after: number): Promise<number> {
    try {
      return await this.#acknowledged.publish(this.#subject, record, { [ID_HEADER]: id, [EXPECTED_HEADER]: String(after) }, append_ms)
    } catch (error) {
      throw inDoubt(error) ? new InDoubt(error) : error
    }
  }

  async #readEnd(): Promise<{ position: number; id: string } | null> {
    try {
      const last = await this.#readLast()
      return last && { position: last.seq, id: last.header.get(ID_HEADER) }
    } catch (error) {
      throw inDoubt(error) ? new InDoubt(error) : error
    }
  }

  /** In steps: while it purges, the server appends for nobody, about 5 ms for a thousand records of 5 kB. */
  async forget(position: number): Promise<void> {
    const manager = await this.#manager
    const first = await manager.direct.getMessage(this.#stream, { seq: 1, next_by_subj: this.#subject })
    for (let seq = first?.seq ?? position; seq < position; ) {
      seq = Math.min(seq + purgeStep, position)
      await manager.streams.purge(this.#stream, { filter: this.#subject, seq })
    }
  }

  async #readLast(): Promise<StoredMsg | null> {
    return (await this.#manager).streams.getMessage(this.#stream, { last_by_subj: this.#subject })
  }
}

/** Whether the outcome is unknown, or known to be "not now": anything else is refused for good. */
function inDoubt(error: unknown): boolean {
  if (error instanceof JetStreamApiError) {
    // A refusal for the sequence is read too: the record that stands there may be our own, from an attempt whose answer was lost.
    return error.code === WRONG_LAST_SEQUENCE || error.code === WRONG_LAST_SEQUENCE_UNKNOWN || error.status >= 500
  }
  // Nobody answers for the stream: the client says so in an error whose cause is the request's.
  const cause = error instanceof Error ? error.cause : undefined
  return [error, cause].some((found) => found instanceof errors.TimeoutError || found instanceof errors.RequestError)
}
