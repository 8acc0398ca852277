import type { FastifyPluginCallback } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import { NoQuery } from '../schemas.ts'
import { STREAM_PATH } from '../streams/path.ts'

const schema = { summary: 'The stream: WebSocket (RFC 6455). Whatever asks for no upgrade is told to', codes: ['upgrade_required'], querystring: NoQuery, response: {} } as const

/** GET /api/v1/stream without an upgrade: with one, it never comes here. */
export const streamRoute: FastifyPluginCallback = (app, _options, done) => {
  app.get(STREAM_PATH, { schema }, (_request, reply) => {
    void reply.header('upgrade', 'websocket')
    throw new Refusal('upgrade_required')
  })
  done()
}
