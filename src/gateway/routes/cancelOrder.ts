import type { FastifyPluginCallback } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import type { OrderId } from '../../protocol/identity.ts'
import { SignedRequest } from '../../protocol/messages/message.ts'
import { prepareCancelling } from '../cancelling.ts'
import { entryCodes } from '../entryCodes.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { OutcomeViews } from '../outcomeView.ts'
import { CancelShape, ClientOrderParameters, IdParameters, NoQuery } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'

const schema = { summary: 'Cancel an order', action: 'cancel', codes: ['order_mismatch', ...entryCodes.cancel], body: SignedRequest, params: IdParameters, querystring: NoQuery, response: { 200: CancelShape } } as const
const byClientId = { ...schema, summary: 'Cancel the open order of a client order id', params: ClientOrderParameters } as const

/**
 * DELETE /api/v1/orders/:id and /api/v1/orders/client/:clientOrderId: a signed cancel of the order in the path, which it names as the path does. 200 with what the order had come to when it closed; a refusal carries the order as it was found.
 */
export const cancelOrderRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  const views = new OutcomeViews(venue)
  app.delete<{ Body: SignedBody; Params: { id: OrderId } }>('/api/v1/orders/:id', { schema }, (request, reply) => {
    const prepared = prepareCancelling(views, binding, request.body, (message) => {
      if (!('order' in message) || message.order !== request.params.id) throw new Refusal('order_mismatch')
    })
    submission.submit(request.body, prepared, new HttpCaller(reply))
  })
  app.delete<{ Body: SignedBody; Params: { clientOrderId: string } }>('/api/v1/orders/client/:clientOrderId', { schema: byClientId }, (request, reply) => {
    const prepared = prepareCancelling(views, binding, request.body, (message) => {
      if (!('clientOrderId' in message) || message.clientOrderId !== request.params.clientOrderId) throw new Refusal('order_mismatch')
    })
    submission.submit(request.body, prepared, new HttpCaller(reply))
  })
  done()
}
