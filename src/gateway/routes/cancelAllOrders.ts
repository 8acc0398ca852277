import type { FastifyPluginCallback } from 'fastify'
import { SignedRequest } from '../../protocol/messages/message.ts'
import { entryCodes } from '../entryCodes.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { NoQuery, SweepShape } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'
import { prepareSweeping } from '../sweeping.ts'

const schema = { summary: 'Cancel all orders, of one market or of all', action: 'cancelAll', codes: entryCodes.cancelAll, body: SignedRequest, querystring: NoQuery, response: { 200: SweepShape, 202: SweepShape } } as const

/** DELETE /api/v1/orders: a signed cancel-all, answered as `prepareSweeping` says. */
export const cancelAllOrdersRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  app.delete<{ Body: SignedBody }>('/api/v1/orders', { schema }, (request, reply) => submission.submit(request.body, prepareSweeping(venue, binding, request.body), new HttpCaller(reply)))
  done()
}
