import type { FastifyPluginCallback } from 'fastify'
import { Refusal } from '../../protocol/errors.ts'
import type { AccountId, ActorName, OrderId } from '../../protocol/identity.ts'
import { formatAmount } from '../../protocol/market.ts'
import type { Market } from '../../protocol/market.ts'
import { readMessage, SignedRequest } from '../../protocol/messages/message.ts'
import type { PairOutcome } from '../../protocol/pair.ts'
import { pairActor } from '../../protocol/subjects.ts'
import type { OrderState } from '../../protocol/vault.ts'
import type { Gateway } from '../gateway.ts'
import { CancelShape, IdParameters, NoQuery } from '../schemas.ts'
import type { SignedBody } from '../submission.ts'

const schema = { body: SignedRequest, params: IdParameters, querystring: NoQuery, response: { 200: CancelShape } }

/** DELETE /api/v1/orders/:id: a signed cancel of the order in the path. 200 with what the order had come to when it closed. */
export const cancelOrderRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { venue, binding, submission } = gateway
  const marketByActor = new Map<ActorName, Market>([...venue.markets.values()].map((market) => [pairActor(market.name), market]))

  /** A pair actor trades one market and does not name it; a vault actor knows them all and does. */
  function marketOf(outcome: OrderState | PairOutcome, from: ActorName): Market {
    const market = 'market' in outcome ? venue.markets.get(outcome.market) : marketByActor.get(from)
    if (market === undefined) throw new Error('a cancel was answered from a market that the venue does not have')
    return market
  }

  app.delete<{ Body: SignedBody; Params: { id: OrderId } }>('/api/v1/orders/:id', { schema }, (request, reply) => {
    const message = readMessage('cancel', request.body.message)
    if (message.order !== request.params.id) throw new Refusal('order_mismatch')
    const expires = binding.check(message, null, Date.now())
    submission.submit(
      request.body,
      (id, signer) => ({ kind: 'cancel', id, account: message.account as AccountId, signer, order: message.order as OrderId, expires }),
      reply,
      (reply, value, from) => {
        const outcome = value as OrderState | PairOutcome
        const market = marketOf(outcome, from)
        void reply.send({
          id: message.order,
          market: market.name,
          status: outcome.status,
          reason: outcome.reason,
          filledQuantity: market.formatQuantity(outcome.filledLots),
          filledQuote: formatAmount(outcome.filledQuote, market.rules.quote),
          updated: new Date('time' in outcome ? outcome.time : outcome.updated).toISOString(),
        })
      },
    )
  })
  done()
}
