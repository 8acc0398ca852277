import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { OrderView } from '../../protocol/feed.ts'
import type { MarketName, OrderId } from '../../protocol/identity.ts'
import { MarketMember } from '../../protocol/messages/members.ts'
import type { OrderState } from '../../protocol/vault.ts'
import type { Gateway } from '../gateway.ts'
import { listMembers, Next, range } from '../history/listing.ts'
import { HttpCaller } from '../httpCaller.ts'
import { OrderShape } from '../schemas.ts'

const Query = Type.Object(
  {
    market: Type.Optional(MarketMember),
    status: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('closed'), Type.Literal('all')])),
    limit: listMembers.limit,
    cursor: Type.Optional(Type.String({ pattern: '^[0-9a-f]{1,64}$', description: '`next` of the page before, with the same status' })),
  },
  { additionalProperties: false },
)
const codes = ['market_unknown', 'order_unknown', 'history_unavailable'] as const
const schema = { summary: 'The caller’s orders, newest first', codes, querystring: Query, response: { 200: Type.Object({ orders: Type.Array(OrderShape), next: Next }) } } as const

const ORDER_CURSOR = /^[0-9a-f]{64}$/
const CLOSED_CURSOR = /^[1-9][0-9]{0,15}$/

/**
 * GET /api/v1/orders?market=&status=open|closed|all&limit=&cursor=: the caller's orders, newest first. The open ones, or with the last that closed (`all`), as their
 * keeper knows them; `closed` is from the account's history, for as long as that is kept, by when they closed.
 */
export const listOrdersRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Querystring: Static<typeof Query> }>('/api/v1/orders', { schema, onRequest: app.authenticate }, async (request, reply) => {
    const { status } = request.query
    const market = (request.query.market ?? null) as MarketName | null
    const asked = range(request.query)
    const { limit, cursor } = asked
    if (market !== null && !gateway.venue.markets.has(market)) throw new Refusal('market_unknown')
    if (cursor !== undefined && !(status === 'closed' ? CLOSED_CURSOR : ORDER_CURSOR).test(cursor)) throw new Refusal('request_malformed', 'cursor')
    if (status === 'closed') {
      const { items, next } = await gateway.history.list(request, new HttpCaller(reply), asked, (message) =>
        message.type === 'order' && isClosed(message.order) && (market ?? message.order.market) === message.order.market ? message.order : null,
      )
      return { orders: items, next }
    }
    const before = cursor === undefined ? {} : { before: cursor as OrderId }
    const orders = await gateway.read<OrderState[]>({ kind: 'orders', account: request.account, market, open: status !== 'all', limit, ...before })
    return { orders: orders.map((order) => gateway.view(order)), next: orders.length < limit ? null : orders.at(-1)!.id }
  })
  done()
}

const isClosed = ({ status }: OrderView): boolean => status !== 'open' && status !== 'pending'
