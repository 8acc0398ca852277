import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../protocol/errors.ts'
import type { MarketName } from '../../protocol/identity.ts'
import type { Gateway } from '../gateway.ts'
import { ListQuery, Next, range } from '../history/listing.ts'
import type { Asked } from '../history/listing.ts'
import { HttpCaller } from '../httpCaller.ts'
import { customerOf } from '../limits/address.ts'
import { MarketParameters, PrintShape } from '../schemas.ts'

const codes = ['market_unknown', 'tape_off', 'history_unavailable', 'venue_not_ready', 'venue_overloaded', 'internal_error'] as const
const schema = { summary: 'What was traded in a market, late and rounded, newest first', codes, params: MarketParameters, querystring: ListQuery, response: { 200: Type.Object({ prints: Type.Array(PrintShape), next: Next }) } } as const

/** GET /api/v1/markets/:pair/tape?limit=&cursor=: a market's public tape, where it has one. Public. */
export const tapeRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get<{ Params: { pair: MarketName }; Querystring: Asked }>('/api/v1/markets/:pair/tape', { schema }, async (request, reply) => {
    const market = gateway.venue.markets.get(request.params.pair)
    if (market === undefined) throw new Refusal('market_unknown')
    if (market.rules.tape === null) throw new Refusal('tape_off')
    const reader = { account: market.name, reader: customerOf(request.socket.remoteAddress) }
    const { items, next } = await gateway.tapes.list(reader, new HttpCaller(reply), range(request.query), ({ seq, from, until, price, quantity }) => ({ seq, from, until, price, quantity }))
    return { prints: items, next }
  })
  done()
}
