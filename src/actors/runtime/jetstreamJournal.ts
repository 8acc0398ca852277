import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { DeliverPolicy, jetstream, JetStreamApiError } from '@nats-io/jetstream'
import type { JetStreamClient, JetStreamManager, StoredMsg } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { Fenced } from './journal.ts'
import type { Journal, JournalEntry } from './journal.ts'
import { JournalFault } from './journalFault.ts'
import { sentence } from './log.ts'
import type { Log } from './log.ts'

const WRONG_LAST_SEQUENCE = 10071
/** A replicated stream cannot tell yet whether the expected sequence is the last. */
const WRONG_LAST_SEQUENCE_UNKNOWN = 10164
const ID_HEADER = 'Nats-Msg-Id'

/** An append without an answer for so long is in doubt. A slow disk makes doubt, not harm. */
const append_ms = 2_000
const retry_ms = { first: 50, most: 1_000 }

/** An actor's journal as one subject of a JetStream stream; each append names the sequence of the one before. */
export class JetStreamJournal implements Journal {
  readonly #stream: string
  readonly #subject: string
  readonly #log: Log
  readonly #client: JetStreamClient
  readonly #manager: Promise<JetStreamManager>
  /** Tells our appends from another owner's when an outcome is read back. */
  readonly #writer = randomBytes(8).toString('hex')
  #appends = 0
  /** Stream sequence of the last record that we gave or appended; 0 before the first. */
  #last = 0
  #replayed = false

  constructor(connection: NatsConnection, stream: string, subject: string, log: Log) {
    this.#stream = stream
    this.#subject = subject
    this.#log = log
    this.#client = jetstream(connection)
    this.#manager = this.#client.jetstreamManager(false)
  }

  async *replay(after = 0): AsyncIterable<JournalEntry> {
    this.#last = Math.max(this.#last, after)
    const end = (await this.#readLast())?.seq ?? 0
    if (end < this.#last) throw new JournalFault('end_missing', null, `${this.#subject} ends at ${end}, its records were known up to ${this.#last}`)
    if (end > this.#last) {
      const from = { filter_subjects: this.#subject, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#last + 1 }
      const consumer = await this.#client.consumers.get(this.#stream, from)
      for await (const message of await consumer.consume({ max_messages: 2_048 })) {
        this.#last = message.seq
        yield { position: message.seq, record: message.data }
        if (message.seq >= end) break
      }
      await consumer.delete()
    }
    if (end !== this.#last) throw new JournalFault('end_missing', null, `${this.#subject} ends at ${this.#last}, not at ${end}`)
    this.#replayed = true
  }

  async append(record: Uint8Array): Promise<void> {
    if (!this.#replayed) throw new Error(`${this.#subject} is not replayed yet`)
    const id = `${this.#writer}-${++this.#appends}`
    for (let wait_ms = retry_ms.first; ; wait_ms = Math.min(wait_ms * 2, retry_ms.most)) {
      try {
        const ack = await this.#client.publish(this.#subject, record, { msgID: id, expect: { lastSubjectSequence: this.#last }, timeout: append_ms })
        this.#last = ack.seq
        return
      } catch (error) {
        if (!inDoubt(error)) throw error
        this.#log.warn('journal', 'an append is in doubt', { reason: sentence(error) })
      }
      // Ours: done. Our predecessor: not there, or not yet. Then the same append goes out again: it names the same predecessor, so
      // that at most one of the two is ever stored.
      const last = await this.#readLastPatiently(wait_ms)
      if (last?.header.get(ID_HEADER) === id) {
        this.#last = last.seq
        return
      }
      if ((last?.seq ?? 0) !== this.#last) throw new Fenced(this.#subject)
      await delay(wait_ms)
    }
  }

  async #readLast(): Promise<StoredMsg | null> {
    return (await this.#manager).streams.getMessage(this.#stream, { last_by_subj: this.#subject })
  }

  async #readLastPatiently(wait_ms: number): Promise<StoredMsg | null> {
    for (;;) {
      try {
        return await this.#readLast()
      } catch (error) {
        if (!inDoubt(error)) throw error
      }
      await delay(wait_ms)
    }
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
