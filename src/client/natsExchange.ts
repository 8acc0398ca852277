import type { NatsConnection } from '@nats-io/nats-core'
import type { OperationAnswer } from '../protocol/nats.ts'
import { NeverSent, OutcomeUnknown } from './errors.ts'

export interface NatsAnswer extends OperationAnswer {
  /** As the header says it: seconds. */
  readonly retryAfter: string | null
}

/** One request over NATS and its answer. @throws NeverSent, OutcomeUnknown */
export async function natsExchange(connection: NatsConnection, subject: string, body: string, timeout_ms: number): Promise<NatsAnswer> {
  if (connection.isClosed() || connection.isDraining()) throw new NeverSent(new Error('the connection is closed'), { passing: false })
  try {
    const message = await connection.request(subject, body, { timeout: timeout_ms })
    return { ...message.json<OperationAnswer>(), retryAfter: message.headers?.get('Retry-After') || null }
  } catch (error) {
    // The server says of this very request that no gateway is there. Anything else, a connection that was closed meanwhile too, may have come behind it.
    throw (error as { isNoResponders?: () => boolean }).isNoResponders?.() === true ? new NeverSent(error) : new OutcomeUnknown(error)
  }
}
