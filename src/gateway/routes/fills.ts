import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { MarketName } from '../../protocol/identity.ts'
import { Digest, MarketMember } from '../../protocol/messages/members.ts'
import type { Gateway } from '../gateway.ts'
import { entry, listMembers, Next, range } from '../history/listing.ts'
import { HttpCaller } from '../httpCaller.ts'
import { FillShape } from '../schemas.ts'

const Query = Type.Object({ market: Type.Optional(MarketMember), order: Type.Optional(Digest), ...listMembers }, { additionalProperties: false })
const schema = { summary: 'The caller’s fills, newest first', history: true, codes: ['market_unknown'], querystring: Query, response: { 200: Type.Object({ fills: Type.Array(FillShape), next: Next }) } } as const

/** GET /api/v1/fills?market=&order=&limit=&cursor=: what the caller has traded, newest first. */
export const fillsRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Querystring: Static<typeof Query> }>('/api/v1/fills', { schema, onRequest: app.authenticate }, async (request, reply) => {
    const { market, order } = request.query
    if (market !== undefined && !gateway.venue.markets.has(market as MarketName)) throw new Refusal('market_unknown')
    const { items, next } = await gateway.history.list(request, new HttpCaller(reply), range(request.query), (message) =>
      message.type === 'fill' && (market ?? message.market) === message.market && (order ?? message.order) === message.order ? entry<'fill'>(message) : null,
    )
    return { fills: items, next }
  })
  done()
}
