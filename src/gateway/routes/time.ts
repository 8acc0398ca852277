import type { FastifyPluginCallback } from 'fastify'
import { ClockShape } from '../schemas.ts'

const schema = { summary: 'The gateway’s clock', response: { 200: ClockShape } }

/** GET /api/v1/time: the gateway's clock, by which it judges whether a message has expired. */
export const timeRoute: FastifyPluginCallback = (app, _options, done) => {
  app.get('/api/v1/time', { schema }, async () => {
    const now = new Date()
    return { time: now.toISOString(), unix_ms: now.getTime() }
  })
  done()
}
