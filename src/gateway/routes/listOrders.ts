import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { MarketName } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { MarketMember } from '../../protocol/messages/members.ts'
import type { OrderState } from '../../protocol/vault.ts'
import type { Gateway } from '../gateway.ts'
import { OrderShape } from '../schemas.ts'

const Query = Type.Object(
  {
    market: Type.Optional(MarketMember),
    status: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('all')])),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$' })),
  },
  { additionalProperties: false },
)
const schema = { summary: 'The caller’s orders, newest first', codes: ['market_unknown'], querystring: Query, response: { 200: Type.Object({ orders: Type.Array(OrderShape) }) } } as const

const DEFAULT_LIMIT = 100

/** GET /api/v1/orders?market=&status=open|all&limit=: the caller's orders, newest first: the open ones, or also the last that closed. */
export const listOrdersRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Querystring: Static<typeof Query> }>('/api/v1/orders', { schema, onRequest: app.authenticate }, async (request) => {
    const { status } = request.query
    const market = (request.query.market ?? null) as MarketName | null
    const limit = Number(request.query.limit ?? DEFAULT_LIMIT)
    if (market !== null && !gateway.venue.markets.has(market)) throw new Refusal('market_unknown')
    if (limit > limits.listedOrders) throw new Refusal('request_malformed', `limit is at most ${limits.listedOrders}`)
    const orders = await gateway.read<OrderState[]>({ kind: 'orders', account: request.account, market, open: status !== 'all', limit })
    return { orders: orders.map((order) => gateway.view(order)) }
  })
  done()
}
