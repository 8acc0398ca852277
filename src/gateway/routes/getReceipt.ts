import type { FastifyPluginCallback } from 'fastify'
import type { Static } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { MarketName } from '../../protocol/identity.ts'
import { ReceiptShape } from '../../protocol/receiptShape.ts'
import type { Gateway } from '../gateway.ts'
import { HttpCaller } from '../httpCaller.ts'
import { NoQuery, TradeParameters } from '../schemas.ts'

const codes = ['trade_unknown', 'trade_not_settled', 'receipt_absent', 'history_too_long'] as const
const schema = { summary: 'The receipt of the caller’s side of one trade: what proves it under the chain’s root', history: true, codes, params: TradeParameters, querystring: NoQuery, response: { 200: ReceiptShape } } as const

/** GET /api/v1/trades/:id/receipt: what the caller needs to prove the fill to anybody, offline. Others' trades are answered exactly like ones that do not exist. */
export const getReceiptRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Params: Static<typeof TradeParameters> }>('/api/v1/trades/:id/receipt', { schema, onRequest: app.authenticate }, async (request, reply) => {
    const [market = '', number] = request.params.id.split(':')
    if (!gateway.venue.markets.has(market as MarketName)) throw new Refusal('trade_unknown')
    return gateway.receipts.of(request.account, await gateway.history.trade(request, new HttpCaller(reply), market as MarketName, Number(number)))
  })
  done()
}
