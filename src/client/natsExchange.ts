import type { NatsConnection } from '@nats-io/nats-core'
import type { OperationAnswer } from '../protocol/nats.ts'
import { NeverSent, NotPermitted, OutcomeUnknown } from './errors.ts'
import type { FeedKeyring } from './feedKeyring.ts'

export interface NatsAnswer extends OperationAnswer {
  /** As the header says it: seconds. */
  readonly retryAfter: string | null
}

/**
 * One request over NATS and its answer.
 * @param keyring for a venue that seals
 * @throws NeverSent, NotPermitted, OutcomeUnknown; Refused where the keys to seal it with are refused, and nothing was sent
 */
export async function natsExchange(connection: NatsConnection, subject: string, body: string, timeout_ms: number, keyring: FeedKeyring | null = null): Promise<NatsAnswer> {
  if (connection.isClosed() || connection.isDraining()) throw new NeverSent(new Error('the connection is closed'), { passing: false })
  const operation = subject.slice(subject.lastIndexOf('.') + 1)
  const sealed = await keyring?.sealRequest(operation, body).catch((error: unknown) => {
    throw error instanceof OutcomeUnknown ? new NeverSent(error) : error
  })
  const way = wayOf(connection)
  try {
    const message = await connection.request(subject, sealed?.bytes ?? body, { timeout: timeout_ms })
    const answer = sealed === undefined ? message.json<OperationAnswer>() : (JSON.parse(await sealed.read(message.data)) as OperationAnswer)
    return { ...answer, retryAfter: message.headers?.get('Retry-After') || null }
  } catch (error) {
    // The server says of this very request that no gateway is there. Anything else, a connection that was closed meanwhile too, may have come behind it.
    if ((error as { isNoResponders?: () => boolean }).isNoResponders?.() === true) throw new NeverSent(error)
    // The server names the subject, not the request. What a connection may do never changes, so on the same one it has refused all that went to that subject; a request from before it
    // may have come through, and is given the refusal of a later one.
    throw notPermitted(error, subject) && way !== null && way === wayOf(connection) ? new NotPermitted(error) : new OutcomeUnknown(error)
  }
}

/** Which of a client's connections is there: another one after each reconnection. null where there is none. */
function wayOf({ info }: NatsConnection): string | null {
  return info === undefined ? null : `${info.server_id} ${info.client_id}`
}

function notPermitted(error: unknown, subject: string): boolean {
  const { cause } = error as { cause?: { name?: string; operation?: string; subject?: string } }
  return cause?.name === 'PermissionViolationError' && cause.operation === 'publish' && cause.subject === subject
}
