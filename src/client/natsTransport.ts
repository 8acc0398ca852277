import type { NatsConnection } from '@nats-io/nats-core'
import { Subjects } from '../protocol/subjects.ts'
import { NeverSent, OutcomeUnknown } from './errors.ts'
import { FeedKeyring } from './feedKeyring.ts'
import type { FeedKeySource } from './feedKeyring.ts'
import type { NatsAccess } from './natsAccess.ts'
import { natsExchange } from './natsExchange.ts'
import { orderEntryOf } from './orderEntry.ts'
import { fetchTransport } from './transport.ts'
import type { Incoming, Outgoing, Transport } from './transport.ts'

/** A call waits for one answer no longer than this. */
const LONGEST_ANSWER_MS = 60_000

export interface NatsTransportOptions {
  /** Carries what is no order entry. Default: by fetch. */
  readonly others?: Transport
  /** Of a venue that seals: where the account's feed keys come from, `() => reader.feedKeys()`. */
  readonly keys?: FeedKeySource
}

/** Carries order entry over NATS, to whichever gateway of the venue takes it. Only the account's own messages, over a connection that may trade. */
export class NatsTransport implements Transport {
  readonly #connection: NatsConnection
  readonly #subject: string
  readonly #others: Transport
  readonly #keyring: FeedKeyring | null
  /** Those who wait for an answer: hear that the connection on which it would have come is lost. */
  readonly #waiting = new Set<() => void>()
  #away = false

  /** @param connection made with `access` (openNats) @param venue its name */
  constructor(connection: NatsConnection, venue: string, { account, key }: NatsAccess, { others = fetchTransport, keys }: NatsTransportOptions = {}) {
    this.#keyring = keys === undefined ? null : new FeedKeyring(venue, account, keys)
    this.#connection = connection
    this.#subject = new Subjects(venue).traderRequest(account, key, 'orders')
    this.#others = others
    void this.#follow()
  }

  carry(outgoing: Outgoing): Promise<Incoming> {
    return orderEntryOf(outgoing) === null ? this.#others.carry(outgoing) : this.#enter(outgoing)
  }

  #enter({ body = '{}', signal }: Outgoing): Promise<Incoming> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new NeverSent(signal.reason))
      // A library would keep it for a connection that may come after this call is over.
      if (this.#away) return reject(new NeverSent(new Error('the connection is away')))
      const given = (): void => reject(new OutcomeUnknown(signal.reason))
      const lost = (): void => reject(new OutcomeUnknown(new Error('the connection was lost')))
      signal.addEventListener('abort', given, { once: true })
      this.#waiting.add(lost)
      natsExchange(this.#connection, this.#subject, body, LONGEST_ANSWER_MS, this.#keyring)
        .then(({ status, body: answer, retryAfter }) => resolve({ status, text: JSON.stringify(answer), retryAfter }), reject)
        .finally(() => {
          signal.removeEventListener('abort', given)
          this.#waiting.delete(lost)
        })
    })
  }

  /** Ends with the connection. */
  async #follow(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'reconnect') this.#away = false
      if (type !== 'disconnect') continue
      this.#away = true
      for (const lost of this.#waiting) lost()
      this.#waiting.clear()
    }
  }
}
