import type { FastifyPluginCallback } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId, MarketName } from '../../protocol/identity.ts'
import { readMessage, SignedRequest } from '../../protocol/messages/message.ts'
import type { SweepState } from '../../protocol/vault.ts'
import type { Gateway } from '../gateway.ts'
import { NoQuery, SweepShape } from '../schemas.ts'
import type { Prepared, SignedBody } from '../submission.ts'

const codes = ['market_unknown', 'account_unknown', 'cancels_exceeded', 'market_unavailable'] as const
const schema = { summary: 'Cancel all orders, of one market or of all', action: 'cancelAll', codes, body: SignedRequest, querystring: NoQuery, response: { 200: SweepShape, 202: SweepShape } } as const

/**
 * DELETE /api/v1/orders: a signed cancel-all, of one market or of all. 200 when every market has answered, with how many orders came back and which markets
 * were halted; 202 where some have yet to say, which a repeated message can find.
 */
export const cancelAllOrdersRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  app.delete<{ Body: SignedBody }>('/api/v1/orders', { schema }, (request, reply) => {
    const message = readMessage('cancelAll', request.body.message)
    const market = message.market === 'all' ? null : (message.market as MarketName)
    if (market !== null && !venue.markets.has(market)) throw new Refusal('market_unknown')
    const expires = binding.check(message, null, Date.now())
    const prepared: Prepared = {
      make: (id, signer) => ({ kind: 'cancelAll', id, account: message.account as AccountId, signer, market, expires }),
      show: (value) => {
        const { id, cancelled, markets, halted } = value as SweepState
        return { status: markets.length === 0 ? 200 : 202, body: { id, cancelled, waiting: markets, halted } }
      },
    }
    submission.submit(request.body, prepared, reply)
  })
  done()
}
