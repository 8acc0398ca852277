import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import type { BalanceState } from '../../protocol/vault.ts'
import { balancesView } from '../balanceView.ts'
import type { Gateway } from '../gateway.ts'
import { BalanceShape, NoQuery } from '../schemas.ts'

const schema = { summary: 'The caller’s balances', querystring: NoQuery, response: { 200: Type.Object({ balances: Type.Array(BalanceShape) }) } }

/** GET /api/v1/balances: per asset what the chain shows, what trades will still move, what is reserved, and what is left to use. */
export const balancesRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  app.get('/api/v1/balances', { schema, onRequest: app.authenticate }, async (request) => {
    const balances = await gateway.read<BalanceState[]>({ kind: 'balances', account: request.account })
    return { balances: balancesView(balances, gateway.venue) }
  })
  done()
}
