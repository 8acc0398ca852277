import type { FastifyPluginCallback } from 'fastify'
import type { OrderView } from '../../protocol/feed.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { readMessage, SignedRequest } from '../../protocol/messages/message.ts'
import type { PairOutcome } from '../../protocol/pair.ts'
import type { OrderState, PlaceOrder } from '../../protocol/vault.ts'
import { orderView } from '../../protocol/view.ts'
import type { Gateway } from '../gateway.ts'
import { marketOf, orderAfter, placeOrder } from '../orderCommand.ts'
import { NoQuery, OrderShape } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'

const codes = ['market_unknown', 'asset_mismatch', 'decimal_malformed', 'price_off_tick', 'price_out_of_range', 'quantity_off_lot', 'quantity_out_of_range', 'minimum_out_of_range', 'terms_conflict', 'order_value_exceeded', 'account_unknown', 'funds_insufficient', 'open_orders_exceeded', 'market_unavailable'] as const
const schema = { summary: 'Place an order', action: 'order', codes, body: SignedRequest, querystring: NoQuery, response: { 200: OrderShape, 201: OrderShape, 202: OrderShape } } as const

/**
 * POST /api/v1/orders: a signed order. 201 with the order as the market left it; 200 where this very message had been taken before, with
 * the order as it stands; 202 where it is on its way to the market.
 */
export const placeOrderRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  app.post<{ Body: SignedBody }>('/api/v1/orders', { schema }, (request, reply) => {
    const message = readMessage('order', request.body.message)
    const market = marketOf(message, venue)
    const expires = binding.check(message, market, Date.now())
    let command: PlaceOrder
    submission.submit(
      request.body,
      (id, signer: AccountId) => (command = placeOrder(message, market, id, signer, expires)),
      reply,
      (reply, value) => {
        // The pair actor answers with what it did, the vault actor with what it remembers of an order that it knows already.
        const known = 'id' in (value as OrderState | PairOutcome)
        const order = known ? (value as OrderState) : orderAfter(command, value as PairOutcome)
        const view: OrderView = orderView(order, market)
        void reply.code(order.status === 'pending' ? 202 : known ? 200 : 201).send(view)
      },
    )
  })
  done()
}
