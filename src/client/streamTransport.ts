import { isRetryable } from '../protocol/errors.ts'
import { orAborted } from './aborted.ts'
import { delay } from './delay.ts'
import { NeverSent, OutcomeUnknown, Refused } from './errors.ts'
import type { SignedRequest } from './messages.ts'
import { orderEntryOf } from './orderEntry.ts'
import { fetchTransport } from './transport.ts'
import type { Incoming, Outgoing, Transport } from './transport.ts'
import { platformSocket, streamUrl, Wire } from './wire.ts'
import type { OpenSocket, WireAnswer } from './wire.ts'

export interface StreamTransportOptions {
  /**
   * Has the orders of the key that logs in taken back when the connection is lost, whoever ended it: signs the login, as `signLogin` of a client does. Nothing is sent over a
   * connection before that is in force.
   */
  readonly cancelOnDisconnect?: (challenge: string) => Promise<SignedRequest>
  /** Default: the platform's WebSocket. */
  readonly openSocket?: OpenSocket
  /** Carries what is no order entry. Default: by fetch. */
  readonly others?: Transport
}

/** A gateway ends a connection without login that asks nothing for a minute. */
const PING_MS = 20_000
/** Between attempts at a login that is to go on. */
const RENEW_MS = 5_000

/**
 * Carries order entry over one WebSocket: a round trip on a connection that stands, and no headers. It is opened by the first request, opened again by the next one where it was
 * lost, and stays open until `close`.
 */
export class StreamTransport implements Transport {
  readonly #url: string
  readonly #options: StreamTransportOptions
  readonly #openSocket: OpenSocket
  readonly #others: Transport
  #connection: Promise<Wire> | undefined
  #wire: Wire | undefined
  #closed = false

  /** @param gateway its URL */
  constructor(gateway: string, options: StreamTransportOptions = {}) {
    this.#url = streamUrl(gateway)
    this.#options = options
    this.#openSocket = options.openSocket ?? platformSocket
    this.#others = options.others ?? fetchTransport
  }

  async carry(outgoing: Outgoing): Promise<Incoming> {
    const op = orderEntryOf(outgoing)
    if (op === null) return this.#others.carry(outgoing)
    const { body = '{}', signal } = outgoing
    const wire = await this.#connected(signal)
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new NeverSent(signal.reason))
      const given = (): void => {
        forget()
        reject(new OutcomeUnknown(signal.reason))
      }
      const heard = (answer: WireAnswer): void => {
        signal.removeEventListener('abort', given)
        resolve(incoming(answer))
      }
      const lost = (): void => {
        signal.removeEventListener('abort', given)
        reject(new OutcomeUnknown(new Error('the connection was lost')))
      }
      const forget = wire.request(op, body, heard, lost)
      signal.addEventListener('abort', given, { once: true })
    })
  }

  /** Ends the connection for good. What was sent over it and not answered is OutcomeUnknown. */
  close(): void {
    this.#closed = true
    this.#wire?.close()
  }

  /** @throws NeverSent */
  async #connected(signal: AbortSignal): Promise<Wire> {
    if (this.#closed) throw new NeverSent(new Error('the transport was closed'), { passing: false })
    this.#connection ??= this.#connect().catch((error: unknown) => {
      this.#connection = undefined
      throw error
    })
    return orAborted(this.#connection, signal)
  }

  async #connect(): Promise<Wire> {
    const wire = this.#open()
    this.#wire = wire
    void wire.ended.then(() => {
      if (this.#wire === wire) this.#wire = this.#connection = undefined
    })
    await wire.opened
    const { cancelOnDisconnect } = this.#options
    if (cancelOnDisconnect !== undefined) await this.#login(wire, cancelOnDisconnect)
    void this.#stay(wire)
    return wire
  }

  /** @throws NeverSent where that is no address of a gateway */
  #open(): Wire {
    try {
      return new Wire(this.#url, this.#openSocket, () => undefined)
    } catch (error) {
      throw new NeverSent(error, { passing: false })
    }
  }

  /** Until the connection ends: a login that ran out would end it, and take the orders back. @throws NeverSent */
  async #login(wire: Wire, sign: (challenge: string) => Promise<SignedRequest>): Promise<void> {
    const hello = await wire.greeted
    if (hello === null) throw new NeverSent(new Error('the connection was lost'))
    const login = async (): Promise<number> => {
      let until = hello.time
      await wire.ask('login', { ...(await sign(hello.challenge)), cancelOnDisconnect: true }, (body) => void ({ until } = body as { until: string }))
      return (Date.parse(until) - Date.parse(hello.time)) / 2
    }
    let half_ms: number
    try {
      half_ms = await login()
    } catch (error) {
      wire.close()
      throw new NeverSent(error, { passing: !(error instanceof Refused) || isRetryable(error.code) })
    }
    void this.#renew(wire, login, half_ms)
  }

  async #renew(wire: Wire, login: () => Promise<unknown>, half_ms: number): Promise<void> {
    const ended = endOf(wire)
    for (let wait_ms = half_ms; ; ) {
      await delay(wait_ms, ended)
      if (ended.aborted) return
      // Where it is refused for good the connection ends at its time, and with it the orders.
      wait_ms = await login().then(() => half_ms, () => RENEW_MS)
    }
  }

  async #stay(wire: Wire): Promise<void> {
    const ended = endOf(wire)
    for (;;) {
      await delay(PING_MS, ended)
      if (ended.aborted) return
      wire.request('ping', '{}', () => undefined, () => undefined)
    }
  }
}

function endOf(wire: Wire): AbortSignal {
  const ended = new AbortController()
  void wire.ended.then(() => ended.abort())
  return ended.signal
}

/** As the same answer would have come over HTTP. */
const incoming = ({ status, body, problem, retryAfter_s }: WireAnswer): Incoming => ({ status, text: JSON.stringify(body ?? problem ?? null), retryAfter: retryAfter_s === undefined ? null : String(retryAfter_s) })
