import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { MarketName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { OrderState } from '../../protocol/vault.ts'
import type { Gateway } from '../gateway.ts'
import { MarketParameters, NoQuery, OrderShape } from '../schemas.ts'

const Book = Type.Object({ market: Type.String(), bids: Type.Array(OrderShape), asks: Type.Array(OrderShape), complete: Type.Boolean() })
const schema = { summary: 'The caller’s own resting orders of a market', codes: ['market_unknown'], params: MarketParameters, querystring: NoQuery, response: { 200: Book } } as const

/**
 * GET /api/v1/orderbook/:pair: the caller's own resting orders, and nobody else's: best price first, oldest first within a price.
 * `complete` is false where the caller has more of them than one answer holds.
 */
export const orderbookRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Params: { pair: MarketName } }>('/api/v1/orderbook/:pair', { schema, onRequest: app.authenticate }, async (request) => {
    const market = request.params.pair
    if (!gateway.venue.markets.has(market)) throw new Refusal('market_unknown')
    const orders = await gateway.read<OrderState[]>({ kind: 'orders', account: request.account, market, open: true, limit: limits.listedOrders })
    // The vault actor lists the newest first. Orders of one millisecond keep that order when sorted, so it is turned round before.
    const resting = orders.filter((order) => order.status === 'open').reverse()
    const side = (name: OrderState['side'], better: 1 | -1) =>
      resting
        .filter((order) => order.side === name)
        .sort((a, b) => (b.ticks - a.ticks) * better || a.created - b.created)
        .map((order) => gateway.view(order))
    return { market, bids: side('buy', 1), asks: side('sell', -1), complete: orders.length < limits.listedOrders }
  })
  done()
}
