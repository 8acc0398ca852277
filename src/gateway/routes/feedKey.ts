import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Gateway } from '../gateway.ts'
import { NoQuery } from '../schemas.ts'

const Answer = Type.Object({ current: Type.Union([Type.Integer(), Type.Null()]), keys: Type.Array(Type.Object({ version: Type.Integer(), key: Type.String() })), seq: Type.Integer({ minimum: 0, description: 'Number of the feed’s last message, as the keeper of the account says' }) })
const schema = { summary: 'The keys with which the caller’s feed is sealed', querystring: NoQuery, response: { 200: Answer } }

/** GET /api/v1/feed-key: what the account needs to read its feed on NATS where that is sealed; no keys where it is not. */
export const feedKeyRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get('/api/v1/feed-key', { schema, onRequest: app.authenticate }, async (request, reply) => {
    const seq = await gateway.fed(request.account)
    void reply.header('cache-control', 'no-store')
    return { ...(gateway.feedKeys?.view(request.account) ?? { current: null, keys: [] }), seq }
  })
  done()
}
