import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import type { Gateway } from '../gateway.ts'
import { entry, ListQuery, Next, range } from '../history/listing.ts'
import { HttpCaller } from '../httpCaller.ts'
import { SettlementShape } from '../schemas.ts'

const schema = { summary: 'The caller’s settlements, newest first', history: true, querystring: ListQuery, response: { 200: Type.Object({ settlements: Type.Array(SettlementShape), next: Next }) } } as const

/** GET /api/v1/settlements?limit=&cursor=: which trades went to the chain, and by which transaction, newest first. */
export const settlementsRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Querystring: Static<typeof ListQuery> }>('/api/v1/settlements', { schema, onRequest: app.authenticate }, async (request, reply) => {
    const { items, next } = await gateway.history.list(request, new HttpCaller(reply), range(request.query), (message) => (message.type === 'settled' ? entry<'settled'>(message) : null))
    return { settlements: items, next }
  })
  done()
}
