import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import { asyncApi } from '../document/asyncApi.ts'
import type { Gateway } from '../gateway.ts'
import { NoQuery } from '../schemas.ts'

const schema = { summary: 'Streams and feeds: AsyncAPI 3.0', querystring: NoQuery, response: { 200: Type.Object({ asyncapi: Type.Literal('3.0.0') }, { additionalProperties: true }) } }

/** GET /api/v1/asyncapi.json: every message of streams and of traders' NATS, in both directions. Made once. */
export const asyncApiRoute: FastifyPluginCallback<{ gateway: Gateway; server: string }> = (app, { gateway, server }, done) => {
  const text = JSON.stringify(asyncApi(gateway.venue, server))
  app.get('/api/v1/asyncapi.json', { schema }, (_request, reply) => {
    // As text: no serializer goes over what was written once.
    void reply.type('application/json; charset=utf-8').serializer((payload: string) => payload).send(text)
  })
  done()
}
