import type { AccountId } from '../protocol/identity.ts'
import { readMessage } from '../protocol/messages/message.ts'
import type { PairOutcome } from '../protocol/pair.ts'
import type { OrderState, PlaceOrder } from '../protocol/vault.ts'
import type { Venue } from '../protocol/venue.ts'
import { orderView } from '../protocol/view.ts'
import type { Binding } from './binding.ts'
import { marketOf, orderAfter, placeOrder } from './orderCommand.ts'
import type { Prepared, SignedBody } from './submission.ts'

/**
 * A signed order: 201 with the order as the market left it; 200 where this very message had been taken before, with the order as it stands; 202 where it is on
 * its way to the market.
 * @throws Refusal
 */
export function preparePlacing(venue: Venue, binding: Binding, body: SignedBody): Prepared {
  const message = readMessage('order', body.message)
  const market = marketOf(message, venue)
  const expires = binding.check(message, market, Date.now())
  let command: PlaceOrder
  return {
    make: (id, signer: AccountId) => (command = placeOrder(message, market, id, signer, expires)),
    show: (value) => {
      // The pair actor answers with what it did, the vault actor with what it remembers of an order that it knows already.
      const known = 'id' in (value as OrderState | PairOutcome)
      const order = known ? (value as OrderState) : orderAfter(command, value as PairOutcome)
      return { status: order.status === 'pending' ? 202 : known ? 200 : 201, body: orderView(order, market) }
    },
  }
}
