import type { FastifyPluginCallback, FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { limits } from '../../protocol/limits.ts'
import { SignedRequest } from '../../protocol/messages/message.ts'
import { prepareCancelling } from '../cancelling.ts'
import type { Gateway } from '../gateway.ts'
import { OutcomeViews } from '../outcomeView.ts'
import { preparePlacing } from '../placing.ts'
import { problemOf } from '../problem.ts'
import { CancelledShape, NoQuery, PlacedShape } from '../schemas.ts'
import type { Outcome, Prepared, SignedBody } from '../submission.ts'

const Body = Type.Object(
  { messages: Type.Array(SignedRequest, { minItems: 1, maxItems: limits.batchMessages, description: 'Each signed by itself; taken in this order' }) },
  { additionalProperties: false },
)
const placing = { summary: 'Place up to 100 orders, each with a result of its own', body: Body, querystring: NoQuery, response: { 200: PlacedShape } } as const
const cancelling = { summary: 'Cancel up to 100 orders, each with a result of its own', cancels: true, body: Body, querystring: NoQuery, response: { 200: CancelledShape } } as const
const bodyLimit = limits.batchBytes

interface Batch {
  readonly messages: readonly SignedBody[]
}

/**
 * POST and DELETE /api/v1/orders/batch: signed orders, or cancels, as if each had been sent alone, in this order. 200 with a status and an order or a problem
 * for each: one that is refused keeps no other back. A body that is not of this shape is refused as a whole, and nothing of it is taken.
 */
export const batchRoutes: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  const views = new OutcomeViews(venue)
  const submit = (prepare: (body: SignedBody) => Prepared, { messages }: Batch, reply: FastifyReply): void => {
    const items = messages.map((body) => ({ body, prepare }))
    submission.submitAll(items, reply, (outcomes) => void reply.send({ results: outcomes.map((outcome) => resultOf(outcome, reply.request.id)) }))
  }
  app.post<{ Body: Batch }>('/api/v1/orders/batch', { schema: placing, bodyLimit }, (request, reply) =>
    submit((body) => preparePlacing(venue, binding, body), request.body, reply),
  )
  app.delete<{ Body: Batch }>('/api/v1/orders/batch', { schema: cancelling, bodyLimit }, (request, reply) =>
    submit((body) => prepareCancelling(views, binding, body), request.body, reply),
  )
  done()
}

function resultOf(outcome: Outcome, requestId: string): object {
  if (!('refused' in outcome)) return { status: outcome.status, order: outcome.body }
  const problem = problemOf(outcome.refused, requestId, outcome.found)
  return { status: problem.status, problem }
}
