import type { AccountId, OrderId } from '../protocol/identity.ts'
import type { AmendMessage } from '../protocol/messages/amend.ts'
import { readMessage } from '../protocol/messages/message.ts'
import type { PairOutcome } from '../protocol/pair.ts'
import type { AmendState } from '../protocol/vault.ts'
import type { Binding } from './binding.ts'
import type { OutcomeViews, ToldOrder } from './outcomeView.ts'
import type { Prepared, SignedBody } from './submission.ts'

/**
 * A signed amend: 200 with the order as the market left it, which may have traded at its new price; 202 where this very message is on its way to the market; a
 * refusal shows the order as it was found.
 * @param check a further look at the message @throws Refusal
 */
export function prepareAmending(views: OutcomeViews, binding: Binding, body: SignedBody, check?: (message: AmendMessage) => void): Prepared {
  const message = readMessage('amend', body.message)
  check?.(message)
  const expires = binding.check(message, null, Date.now())
  const { price, quantity } = message
  return {
    make: (id, signer) => ({ kind: 'amend', id, account: message.account as AccountId, signer, order: message.order as OrderId, price, quantity, expires }),
    show: (value, from) => {
      const { waiting, view } = views.amendAnswer(value as PairOutcome | AmendState, from)
      return { status: waiting ? 202 : 200, body: view }
    },
    explain: (found, from) => views.amended(found as ToldOrder, from),
  }
}
