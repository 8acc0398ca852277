import type { FastifyPluginCallback } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId, OrderId } from '../../protocol/identity.ts'
import { readMessage, SignedRequest } from '../../protocol/messages/message.ts'
import type { PairOutcome } from '../../protocol/pair.ts'
import type { AmendState } from '../../protocol/vault.ts'
import type { Gateway } from '../gateway.ts'
import { OutcomeViews } from '../outcomeView.ts'
import type { ToldOrder } from '../outcomeView.ts'
import { AmendShape, IdParameters, NoQuery } from '../schemas.ts'
import type { Prepared, SignedBody } from '../submission.ts'

const codes = ['order_mismatch', 'decimal_malformed', 'price_off_tick', 'price_out_of_range', 'quantity_off_lot', 'quantity_out_of_range', 'order_value_exceeded', 'terms_conflict', 'account_unknown', 'order_unknown', 'order_not_open', 'funds_insufficient', 'amend_too_late', 'amends_exceeded', 'price_outside_band', 'post_only_would_trade', 'minimum_out_of_range', 'market_halted', 'market_cancel_only', 'market_unavailable'] as const
const schema = { summary: 'Amend an order: another price, another total quantity', action: 'amend', codes, body: SignedRequest, params: IdParameters, querystring: NoQuery, response: { 200: AmendShape, 202: AmendShape } } as const

/**
 * PUT /api/v1/orders/:id: a signed amend of the order in the path. 200 with the order as the market left it, which may have traded at its new price; 202 where this very
 * message is on its way to the market; a refusal carries the order as it was found.
 */
export const amendOrderRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  const views = new OutcomeViews(venue)
  app.put<{ Body: SignedBody; Params: { id: OrderId } }>('/api/v1/orders/:id', { schema }, (request, reply) => {
    const message = readMessage('amend', request.body.message)
    if (message.order !== request.params.id) throw new Refusal('order_mismatch')
    const expires = binding.check(message, null, Date.now())
    const { price, quantity } = message
    const prepared: Prepared = {
      make: (id, signer) => ({ kind: 'amend', id, account: message.account as AccountId, signer, order: message.order as OrderId, price, quantity, expires }),
      show: (value, from) => {
        const { waiting, view } = views.amendAnswer(value as PairOutcome | AmendState, from)
        return { status: waiting ? 202 : 200, body: view }
      },
      explain: (found, from) => views.amended(found as ToldOrder, from),
    }
    submission.submit(request.body, prepared, reply)
  })
  done()
}
