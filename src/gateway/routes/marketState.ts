import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { MarketName } from '../../protocol/identity.ts'
import type { Gateway } from '../gateway.ts'
import { MarketParameters, NoQuery } from '../schemas.ts'

const Answer = Type.Object({ name: Type.String(), state: Type.String(), lowestPrice: Type.String(), highestPrice: Type.String() })
const schema = { summary: 'What a market says of itself now', codes: ['market_unknown', 'market_unavailable', 'venue_not_ready', 'venue_overloaded', 'internal_error'], params: MarketParameters, querystring: NoQuery, response: { 200: Answer } } as const

/** GET /api/v1/markets/:pair: whether the market is open, and between which prices it takes orders now. Public. */
export const marketStateRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Params: { pair: MarketName } }>('/api/v1/markets/:pair', { schema }, async (request) => {
    const market = gateway.venue.markets.get(request.params.pair)
    if (market === undefined) throw new Refusal('market_unknown')
    const { state, lowTicks, highTicks } = await gateway.marketState(market.name)
    return { name: market.name, state, lowestPrice: market.formatPrice(lowTicks), highestPrice: market.formatPrice(highTicks) }
  })
  done()
}
