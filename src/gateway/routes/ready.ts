import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Gateway } from '../gateway.ts'

const Answer = Type.Object({ ready: Type.Boolean(), missing: Type.Array(Type.String()) })
const schema = { summary: 'Whether the venue can trade', response: { 200: Answer, 503: Answer } }

/** GET /ready: 200 where every part of the venue said lately that it runs; otherwise 503 with the parts that did not. */
export const readyRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get('/ready', { schema }, async (_request, reply) => {
    const missing: string[] = gateway.owners.missing(Date.now())
    if (!gateway.vaults.connected) missing.unshift('nats')
    if (gateway.owners.diverged) missing.unshift('chain')
    if (gateway.admission.draining) missing.unshift('gateway')
    return reply.code(missing.length === 0 ? 200 : 503).send({ ready: missing.length === 0, missing })
  })
  done()
}
