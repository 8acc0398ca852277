import type { FastifyPluginCallback } from 'fastify'
import type { OrderId } from '../../protocol/identity.ts'
import type { OrderState } from '../../protocol/vault.ts'
import type { Gateway } from '../gateway.ts'
import { ClientOrderParameters, IdParameters, NoQuery, OrderShape } from '../schemas.ts'

const schema = { summary: 'One of the caller’s orders', codes: ['order_unknown'], params: IdParameters, querystring: NoQuery, response: { 200: OrderShape } } as const
const byClientId = { ...schema, summary: 'The caller’s last order of a client order id', params: ClientOrderParameters } as const

/**
 * GET /api/v1/orders/:id: one of the caller's orders. GET /api/v1/orders/client/:clientOrderId: the last that was placed under that client order id. Somebody else's is answered
 * exactly like one that does not exist.
 */
export const getOrderRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Params: { id: OrderId } }>('/api/v1/orders/:id', { schema, onRequest: app.authenticate }, async (request) => {
    const order = await gateway.read<OrderState>({ kind: 'order', account: request.account, id: request.params.id })
    return gateway.view(order)
  })
  app.get<{ Params: { clientOrderId: string } }>('/api/v1/orders/client/:clientOrderId', { schema: byClientId, onRequest: app.authenticate }, async (request) => {
    const order = await gateway.read<OrderState>({ kind: 'clientOrder', account: request.account, clientOrderId: request.params.clientOrderId })
    return gateway.view(order)
  })
  done()
}
