import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import { SignedRequest } from '../../protocol/messages/message.ts'
import type { TimerState } from '../../protocol/vault.ts'
import { entryCodes } from '../entryCodes.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { NoQuery, TimerShape } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'
import { prepareTiming, timerView } from '../timing.ts'

const setting = {
  summary: 'Set, renew or end a dead-man timer', action: 'deadMan', codes: entryCodes.deadMan,
  body: SignedRequest, querystring: NoQuery, response: { 200: TimerShape, 202: TimerShape },
} as const
const listing = { summary: 'The account’s dead-man timers', querystring: NoQuery, response: { 200: Type.Object({ timers: Type.Array(TimerShape) }) } } as const

/**
 * POST /api/v1/dead-man: a signed timer: 200 when it is in force in every market, 202 where some have yet to hear, which a repeated message can find.
 * GET /api/v1/dead-man: those that run, by key.
 */
export const deadManRoutes: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { binding, submission } = gateway
  app.post<{ Body: SignedBody }>('/api/v1/dead-man', { schema: setting }, (request, reply) => {
    submission.submit(request.body, prepareTiming(binding, request.body), new HttpCaller(reply))
  })
  app.get('/api/v1/dead-man', { schema: listing, onRequest: app.authenticate }, async (request) => {
    const timers = await gateway.read<TimerState[]>({ kind: 'deadMan', account: request.account })
    return { timers: timers.map(timerView) }
  })
  done()
}
