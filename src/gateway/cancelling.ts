import type { AccountId, OrderId } from '../protocol/identity.ts'
import type { CancelMessage } from '../protocol/messages/cancel.ts'
import { readMessage } from '../protocol/messages/message.ts'
import type { Binding } from './binding.ts'
import type { OutcomeViews, ToldOrder } from './outcomeView.ts'
import type { Prepared, SignedBody } from './submission.ts'

/**
 * A signed cancel: 200 with what the order had come to when it closed; a refusal shows the order as it was found.
 * @param check a further look at the message @throws Refusal
 */
export function prepareCancelling(views: OutcomeViews, binding: Binding, body: SignedBody, check?: (message: CancelMessage) => void): Prepared {
  const message = readMessage('cancel', body.message)
  check?.(message)
  const expires = binding.check(message, null, Date.now())
  return {
    make: (id, signer) => ({
      kind: 'cancel', id, account: message.account as AccountId, signer, order: 'order' in message ? (message.order as OrderId) : null,
      clientOrderId: 'order' in message ? null : message.clientOrderId, expires,
    }),
    show: (value, from) => ({ status: 200, body: views.cancelled(value as ToldOrder, from) }),
    explain: (found, from) => views.cancelled(found as ToldOrder, from),
  }
}
