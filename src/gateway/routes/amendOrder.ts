import type { FastifyPluginCallback } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import type { OrderId } from '../../protocol/identity.ts'
import { SignedRequest } from '../../protocol/messages/message.ts'
import { prepareAmending } from '../amending.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { OutcomeViews } from '../outcomeView.ts'
import { AmendShape, IdParameters, NoQuery } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'

const codes = ['order_mismatch', 'decimal_malformed', 'price_off_tick', 'price_out_of_range', 'quantity_off_lot', 'quantity_out_of_range', 'order_value_exceeded', 'terms_conflict', 'account_unknown', 'order_unknown', 'order_not_open', 'funds_insufficient', 'amend_too_late', 'amends_exceeded', 'price_outside_band', 'post_only_would_trade', 'minimum_out_of_range', 'market_halted', 'market_cancel_only', 'market_unavailable', 'chain_diverged'] as const
const schema = { summary: 'Amend an order: another price, another total quantity', action: 'amend', codes, body: SignedRequest, params: IdParameters, querystring: NoQuery, response: { 200: AmendShape, 202: AmendShape } } as const

/** PUT /api/v1/orders/:id: a signed amend of the order in the path, answered as `prepareAmending` says. */
export const amendOrderRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  const views = new OutcomeViews(venue)
  app.put<{ Body: SignedBody; Params: { id: OrderId } }>('/api/v1/orders/:id', { schema }, (request, reply) => {
    const prepared = prepareAmending(views, binding, request.body, ({ order }) => {
      if (order !== request.params.id) throw new Refusal('order_mismatch')
    })
    submission.submit(request.body, prepared, new HttpCaller(reply))
  })
  done()
}
