import type { Msg } from '@nats-io/transport-node'
import type { AccountId } from '../../protocol/identity.ts'
import { traderInbox } from '../../protocol/subjects.ts'

/** Behind a prefix an inbox has names and nothing that could be more than one subject. */
const answerSubject = /^(\.[A-Za-z0-9_-]{1,64}){1,4}$/

/** Whether the answer that a message wants goes to the inbox of the key that has sent it, and nowhere else: nats-server does not look. */
export function answerGoesTo(key: AccountId, { reply = '' }: Pick<Msg, 'reply'>): boolean {
  const inbox = traderInbox(key)
  return reply.startsWith(inbox) && answerSubject.test(reply.slice(inbox.length))
}
