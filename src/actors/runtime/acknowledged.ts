import { JetStreamApiError } from '@nats-io/jetstream'
import type { ApiError } from '@nats-io/jetstream'
import { createInbox, errors, headers } from '@nats-io/transport-node'
import type { Msg, NatsConnection } from '@nats-io/transport-node'

interface Waiting {
  readonly stored: (seq: number) => void
  readonly failed: (reason: Error) => void
  readonly timer: NodeJS.Timeout
}

/** What JetStream says of a message that it was given. */
interface Verdict {
  readonly seq?: unknown
  readonly error?: ApiError
}

/**
 * Publishes to streams, and hears of each message that it is stored. The library's own request makes, for each that does well, an error object with its stack and
 * throws it away: about a quarter of what an append costs its actor.
 */
export class Acknowledged {
  readonly #connection: NatsConnection
  readonly #inbox = createInbox()
  readonly #waiting = new Map<string, Waiting>()
  #count = 0

  constructor(connection: NatsConnection) {
    this.#connection = connection
  }

  /**
   * Resolves with the message's sequence in its stream once it is stored.
   * @throws JetStreamApiError where the stream refuses it
   * @throws RequestError, TimeoutError where nobody stores it, or says so in time: it may be stored all the same
   */
  publish(subject: string, data: Uint8Array, named: Readonly<Record<string, string>>, timeout_ms: number): Promise<number> {
    if (this.#count === 0) this.#connection.subscribe(`${this.#inbox}.*`, { callback: (error, message) => this.#hear(error, message) })
    const reply = `${this.#inbox}.${++this.#count}`
    const head = headers()
    for (const [name, value] of Object.entries(named)) head.set(name, value)
    return new Promise((stored, failed) => {
      this.#connection.publish(subject, data, { reply, headers: head })
      const timer = setTimeout(() => this.#take(reply)?.failed(new errors.TimeoutError()), timeout_ms)
      this.#waiting.set(reply, { stored, failed, timer })
    })
  }

  #hear(error: Error | null, message: Msg): void {
    // A fault of the subscription itself: whoever waits hears nothing, in time.
    if (error !== null) return
    // One that comes too late is nobody's any more.
    const waiting = this.#take(message.subject)
    if (waiting === undefined) return
    if (message.data.length === 0 && message.headers?.code === 503) return waiting.failed(new errors.RequestError('nobody stores it'))
    let verdict: Verdict
    try {
      verdict = message.json<Verdict>()
    } catch (cause) {
      return waiting.failed(new errors.RequestError('an acknowledgement that is none', { cause }))
    }
    if (verdict.error !== undefined) waiting.failed(new JetStreamApiError(verdict.error))
    else if (typeof verdict.seq === 'number') waiting.stored(verdict.seq)
    else waiting.failed(new errors.RequestError('an acknowledgement without a sequence'))
  }

  #take(reply: string): Waiting | undefined {
    const waiting = this.#waiting.get(reply)
    if (waiting === undefined) return undefined
    this.#waiting.delete(reply)
    clearTimeout(waiting.timer)
    return waiting
  }
}
