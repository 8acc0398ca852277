import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'

const schema = { summary: 'Whether this process answers', response: { 200: Type.Object({ status: Type.Literal('alive') }) } }

/** GET /health: this process answers. Says nothing of whether the venue can trade: that is /ready. */
export const healthRoute: FastifyPluginCallback = (app, _options, done) => {
  app.get('/health', { schema }, async () => ({ status: 'alive' as const }))
  done()
}
