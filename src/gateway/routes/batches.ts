import type { FastifyPluginCallback, FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { limits } from '../../protocol/limits.ts'
import { SignedRequest } from '../../protocol/messages/message.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { batchResult } from '../orderEntry.ts'
import type { BatchEntry } from '../orderEntry.ts'
import { CancelledShape, NoQuery, PlacedShape } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'

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
  const { orderEntry } = gateway
  const submit = (entry: BatchEntry, { messages }: Batch, reply: FastifyReply): void =>
    orderEntry.submitAll(entry, messages, new HttpCaller(reply), (results) => void reply.send({ results: results.map(batchResult) }))
  app.post<{ Body: Batch }>('/api/v1/orders/batch', { schema: placing, bodyLimit }, (request, reply) => submit('place', request.body, reply))
  app.delete<{ Body: Batch }>('/api/v1/orders/batch', { schema: cancelling, bodyLimit }, (request, reply) => submit('cancel', request.body, reply))
  done()
}
