import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import type { Gateway } from '../gateway.ts'
import { entry, ListQuery, Next, range } from '../history/listing.ts'
import { HttpCaller } from '../httpCaller.ts'
import { DepositShape } from '../schemas.ts'

const schema = { summary: 'The caller’s deposits, newest first', history: true, querystring: ListQuery, response: { 200: Type.Object({ deposits: Type.Array(DepositShape), next: Next }) } } as const

/** GET /api/v1/deposits?limit=&cursor=: what the chain has brought, newest first. */
export const depositsRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Querystring: Static<typeof ListQuery> }>('/api/v1/deposits', { schema, onRequest: app.authenticate }, async (request, reply) => {
    const { items, next } = await gateway.history.list(request, new HttpCaller(reply), range(request.query), (message) => (message.type === 'deposit' ? entry<'deposit'>(message) : null))
    return { deposits: items, next }
  })
  done()
}
