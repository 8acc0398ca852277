import type { FastifyPluginCallback } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId, ContractId } from '../../protocol/identity.ts'
import { parseAmount } from '../../protocol/market.ts'
import { readMessage, SignedRequest } from '../../protocol/messages/message.ts'
import type { WithdrawalState } from '../../protocol/vault.ts'
import { withdrawalView } from '../../protocol/view.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { NoQuery, WithdrawalShape } from '../schemas.ts'
import type { Prepared, SignedBody } from '../submission.ts'

const codes = ['asset_unknown', 'decimal_malformed', 'quantity_out_of_range', 'account_unknown', 'funds_insufficient', 'withdrawals_exceeded', 'books_differ', 'chain_diverged'] as const
const schema = { summary: 'Ask for a withdrawal of settled funds', action: 'withdraw', codes, body: SignedRequest, querystring: NoQuery, response: { 202: WithdrawalShape } } as const

/**
 * POST /api/v1/withdrawals: a signed withdrawal of settled funds. 202 with the withdrawal as it stands; the engine's authorisation
 * follows, in the feed and in GET /api/v1/withdrawals/:id. The same message again gets the same withdrawal.
 */
export const requestWithdrawalRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  app.post<{ Body: SignedBody }>('/api/v1/withdrawals', { schema }, (request, reply) => {
    const message = readMessage('withdraw', request.body.message)
    const expires = binding.check(message, null, Date.now())
    const asset = venue.assetByContract.get(message.asset as ContractId)
    if (asset === undefined) throw new Refusal('asset_unknown')
    const amount = parseAmount(message.amount, asset)
    if (amount < 1n) throw new Refusal('message_malformed', 'amount')
    const prepared: Prepared = {
      make: (id, signer) => ({ kind: 'withdraw', id, account: message.account as AccountId, signer, asset: asset.contract, amount, expires }),
      show: (value) => ({ status: 202, body: withdrawalView(value as WithdrawalState, asset) }),
    }
    submission.submit(request.body, prepared, new HttpCaller(reply))
  })
  done()
}
