import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { readMessage, SignedRequest } from '../../protocol/messages/message.ts'
import type { TimerState } from '../../protocol/vault.ts'
import { isoTime } from '../../protocol/view.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { NoQuery, TimerShape } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'

const setting = {
  summary: 'Set, renew or end a dead-man timer', action: 'deadMan', codes: ['timeout_out_of_range', 'account_unknown', 'timers_exceeded', 'market_unavailable'],
  body: SignedRequest, querystring: NoQuery, response: { 200: TimerShape, 202: TimerShape },
} as const
const listing = { summary: 'The account’s dead-man timers', querystring: NoQuery, response: { 200: Type.Object({ timers: Type.Array(TimerShape) }) } } as const

const view = ({ signer, timeout_ms, deadline, waiting }: TimerState) => ({
  signer, timeout: timeout_ms === null ? 0 : timeout_ms / 1000, deadline: deadline === null ? null : isoTime(deadline), waiting,
})

/**
 * POST /api/v1/dead-man: a signed timer: 200 when it is in force in every market, 202 where some have yet to hear, which a repeated message can find.
 * GET /api/v1/dead-man: those that run, by key.
 */
export const deadManRoutes: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { binding, submission } = gateway
  app.post<{ Body: SignedBody }>('/api/v1/dead-man', { schema: setting }, (request, reply) => {
    const message = readMessage('deadMan', request.body.message)
    const expires = binding.check(message, null, Date.now())
    const timeout_s = Number(message.timeout)
    if (timeout_s !== 0 && (timeout_s < limits.timerShortest_s || timeout_s > limits.timerLongest_s)) throw new Refusal('timeout_out_of_range')
    submission.submit(
      request.body,
      {
        make: (id, signer) => ({ kind: 'deadMan', id, account: message.account as AccountId, signer, timeout_s, expires }),
        show: (value) => ({ status: (value as TimerState).waiting.length === 0 ? 200 : 202, body: view(value as TimerState) }),
      },
      new HttpCaller(reply),
    )
  })
  app.get('/api/v1/dead-man', { schema: listing, onRequest: app.authenticate }, async (request) => {
    const timers = await gateway.read<TimerState[]>({ kind: 'deadMan', account: request.account })
    return { timers: timers.map(view) }
  })
  done()
}
