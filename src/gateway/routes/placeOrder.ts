import type { FastifyPluginCallback } from 'fastify'
import { SignedRequest } from '../../protocol/messages/message.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { preparePlacing } from '../placing.ts'
import { NoQuery, OrderShape } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'

const codes = ['market_unknown', 'asset_mismatch', 'decimal_malformed', 'price_off_tick', 'price_out_of_range', 'quantity_off_lot', 'quantity_out_of_range', 'minimum_out_of_range', 'terms_conflict', 'order_value_exceeded', 'account_unknown', 'funds_insufficient', 'open_orders_exceeded', 'client_order_id_in_use', 'chain_diverged', 'market_unavailable'] as const
const schema = { summary: 'Place an order', action: 'order', codes, body: SignedRequest, querystring: NoQuery, response: { 200: OrderShape, 201: OrderShape, 202: OrderShape } } as const

/** POST /api/v1/orders: a signed order, answered as `preparePlacing` says. */
export const placeOrderRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  app.post<{ Body: SignedBody }>('/api/v1/orders', { schema }, (request, reply) => submission.submit(request.body, preparePlacing(venue, binding, request.body), new HttpCaller(reply)))
  done()
}
