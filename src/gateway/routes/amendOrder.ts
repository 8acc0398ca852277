import type { FastifyPluginCallback } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import type { OrderId } from '../../protocol/identity.ts'
import { SignedRequest } from '../../protocol/messages/message.ts'
import { prepareAmending } from '../amending.ts'
import { entryCodes } from '../entryCodes.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { OutcomeViews } from '../outcomeView.ts'
import { AmendShape, IdParameters, NoQuery } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'

const schema = { summary: 'Amend an order: another price, another total quantity', action: 'amend', codes: ['order_mismatch', ...entryCodes.amend], body: SignedRequest, params: IdParameters, querystring: NoQuery, response: { 200: AmendShape, 202: AmendShape } } as const

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
