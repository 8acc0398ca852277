import type { FastifyPluginCallback } from 'fastify'
import type { MessageId } from '../../protocol/identity.ts'
import type { WithdrawalState } from '../../protocol/vault.ts'
import { withdrawalView } from '../../protocol/view.ts'
import type { Gateway } from '../gateway.ts'
import { IdParameters, NoQuery, WithdrawalShape } from '../schemas.ts'

const schema = { summary: 'One of the caller’s withdrawals', codes: ['withdrawal_unknown'], params: IdParameters, querystring: NoQuery, response: { 200: WithdrawalShape } } as const

/** GET /api/v1/withdrawals/:id: one of the caller's withdrawals, with the engine's authorisation as soon as it is there. */
export const getWithdrawalRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Params: { id: MessageId } }>('/api/v1/withdrawals/:id', { schema, onRequest: app.authenticate }, async (request) => {
    const withdrawal = await gateway.read<WithdrawalState>({ kind: 'withdrawal', account: request.account, id: request.params.id })
    return withdrawalView(withdrawal, gateway.assetOf(withdrawal.asset))
  })
  done()
}
