import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { tlsFirst } from '../../protocol/natsAccess.ts'
import type { NatsAccess } from '../../protocol/natsAccess.ts'

/** What actors need of a network between them: fire and forget, at most once, in order per connection. */
export interface Transport {
  /** Lost if the connection is down: whoever needs it delivered sends again. */
  publish(subject: string, data: Uint8Array): void
  /** Calls `receive` for each message until the function it gives back is called. */
  subscribe(subject: string, receive: (data: Uint8Array) => void): () => void
  /** Calls after each time a lost connection is back, until the function it gives back is called. */
  onReconnect(call: () => void): () => void
  /** Resolves once everything published so far has reached the server. */
  flush(): Promise<void>
}

/**
 * Connects, and from then on reconnects for ever: actors keep their state while the server is away.
 * @throws Error with one clear sentence where no server can be reached or it refuses the user
 */
export async function connectNats(access: NatsAccess, name: string): Promise<NatsConnection> {
  try {
    return await connect({
      servers: [...access.servers],
      user: access.user,
      pass: access.password,
      ...tlsFirst(access.trust),
      name,
      timeout: 5_000,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      reconnectJitter: 50,
      // A stack for each request costs more than the request.
      noAsyncTraces: true,
      // Authorisation errors while the server restarts must not end the reconnecting.
      ignoreAuthErrorAbort: true,
    })
  } catch (error) {
    throw new Error(`NATS at ${access.servers.join(', ')} cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** The transport that runs in production: one NATS connection per actor. */
export class NatsTransport implements Transport {
  readonly #connection: NatsConnection
  readonly #reconnected = new Set<() => void>()

  constructor(connection: NatsConnection) {
    this.#connection = connection
    void this.#follow()
  }

  publish(subject: string, data: Uint8Array): void {
    if (!this.#connection.isClosed()) this.#connection.publish(subject, data)
  }

  subscribe(subject: string, receive: (data: Uint8Array) => void): () => void {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) receive(message.data)
      },
    })
    return () => {
      if (!this.#connection.isClosed()) subscription.unsubscribe()
    }
  }

  onReconnect(call: () => void): () => void {
    this.#reconnected.add(call)
    return () => void this.#reconnected.delete(call)
  }

  flush(): Promise<void> {
    return this.#connection.flush()
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'reconnect') for (const call of this.#reconnected) call()
    }
  }
}
