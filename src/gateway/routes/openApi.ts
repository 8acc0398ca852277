import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { OpenApi } from '../document/openApi.ts'
import { NoQuery } from '../schemas.ts'

const schema = { summary: 'This description: OpenAPI 3.1', querystring: NoQuery, response: { 200: Type.Object({ openapi: Type.Literal('3.1.0') }, { additionalProperties: true }) } }

/** GET /api/v1/openapi.json: every route, parameter, body, answer and code. Made once, when every route is known. */
export const openApiRoute: FastifyPluginCallback<{ document: OpenApi; server: string }> = (app, { document, server }, done) => {
  let text = ''
  app.addHook('onReady', (ready) => {
    text = JSON.stringify(document.json(server))
    ready()
  })
  app.get('/api/v1/openapi.json', { schema }, (_request, reply) => {
    // As text: no serializer goes over what was written once.
    void reply.type('application/json; charset=utf-8').serializer((payload: string) => payload).send(text)
  })
  done()
}
