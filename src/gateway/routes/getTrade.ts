import type { FastifyPluginCallback } from 'fastify'
import type { Static } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { MarketName } from '../../protocol/identity.ts'
import type { Gateway } from '../gateway.ts'
import { entry } from '../history/listing.ts'
import { HttpCaller } from '../httpCaller.ts'
import { NoQuery, TradeParameters, TradeShape } from '../schemas.ts'

const schema = { summary: 'The caller’s side of one trade, and what settled it', history: true, codes: ['trade_unknown', 'history_too_long'], params: TradeParameters, querystring: NoQuery, response: { 200: TradeShape } } as const

/** GET /api/v1/trades/:id: the caller's fill of a trade, with transaction and ledger once it has settled. Others' trades are answered exactly like ones that do not exist. */
export const getTradeRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Params: Static<typeof TradeParameters> }>('/api/v1/trades/:id', { schema, onRequest: app.authenticate }, async (request, reply) => {
    const [market = '', number] = request.params.id.split(':')
    if (!gateway.venue.markets.has(market as MarketName)) throw new Refusal('trade_unknown')
    const { fill, settled } = await gateway.history.trade(request, new HttpCaller(reply), market as MarketName, Number(number))
    return { ...entry<'fill'>(fill), status: settled === null ? 'pending' : 'settled', transaction: settled?.transaction ?? null, ledger: settled?.ledger ?? null }
  })
  done()
}
