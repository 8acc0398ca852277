import type { FastifyPluginCallback } from 'fastify'
import { SignedRequest } from '../../protocol/messages/message.ts'
import { entryCodes } from '../entryCodes.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { preparePlacing } from '../placing.ts'
import { NoQuery, OrderShape } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'

const schema = { summary: 'Place an order', action: 'order', codes: entryCodes.place, body: SignedRequest, querystring: NoQuery, response: { 200: OrderShape, 201: OrderShape, 202: OrderShape } } as const

/** POST /api/v1/orders: a signed order, answered as `preparePlacing` says. */
export const placeOrderRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  app.post<{ Body: SignedBody }>('/api/v1/orders', { schema }, (request, reply) => submission.submit(request.body, preparePlacing(venue, binding, request.body), new HttpCaller(reply)))
  done()
}
