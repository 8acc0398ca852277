import type { FastifyPluginCallback } from 'fastify'
import type { OrderId } from '../../protocol/identity.ts'
import type { OrderState } from '../../protocol/vault.ts'
import type { Gateway } from '../gateway.ts'
import { IdParameters, NoQuery, OrderShape } from '../schemas.ts'

const schema = { summary: 'One of the caller’s orders', codes: ['order_unknown'], params: IdParameters, querystring: NoQuery, response: { 200: OrderShape } } as const

/** GET /api/v1/orders/:id: one of the caller's orders. Somebody else's is answered exactly like one that does not exist. */
export const getOrderRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Params: { id: OrderId } }>('/api/v1/orders/:id', { schema, onRequest: app.authenticate }, async (request) => {
    const order = await gateway.read<OrderState>({ kind: 'order', account: request.account, id: request.params.id })
    return gateway.view(order)
  })
  done()
}
