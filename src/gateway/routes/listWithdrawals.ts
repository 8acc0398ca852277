import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import type { Gateway } from '../gateway.ts'
import { ListQuery, Next, range } from '../history/listing.ts'
import { HttpCaller } from '../httpCaller.ts'
import { WithdrawalStepShape } from '../schemas.ts'

const schema = { summary: 'What became of the caller’s withdrawals, newest first', history: true, querystring: ListQuery, response: { 200: Type.Object({ withdrawals: Type.Array(WithdrawalStepShape), next: Next }) } } as const

/** GET /api/v1/withdrawals?limit=&cursor=: each step of each withdrawal, newest first: the first one of an id is how it stands. */
export const listWithdrawalsRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Querystring: Static<typeof ListQuery> }>('/api/v1/withdrawals', { schema, onRequest: app.authenticate }, async (request, reply) => {
    const { items, next } = await gateway.history.list(request, new HttpCaller(reply), range(request.query), (message) =>
      message.type === 'withdrawal' ? { seq: message.seq, time: message.time, ...message.withdrawal } : null,
    )
    return { withdrawals: items, next }
  })
  done()
}
