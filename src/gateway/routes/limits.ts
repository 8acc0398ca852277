import type { FastifyPluginCallback } from 'fastify'
import { Type } from 'typebox'
import { limits } from '../../protocol/limits.ts'
import type { Gateway } from '../gateway.ts'
import { NoQuery } from '../schemas.ts'

const Rate = Type.Object({ name: Type.String(), quota: Type.Integer(), window_s: Type.Integer() })
const Streams = Type.Object({ perAccount: Type.Integer(), frameBytes: Type.Integer(), fragments: Type.Integer(), requestsInFlight: Type.Integer(), bufferedBytes: Type.Integer() })
const Answer = Type.Object({ rates: Type.Array(Rate), requestBytes: Type.Integer(), openOrders: Type.Integer(), withdrawalsInFlight: Type.Integer(), connectionsPerAddress: Type.Integer(), streams: Streams })
const schema = { summary: 'The gateway’s limits', querystring: NoQuery, response: { 200: Answer } }

/** GET /api/v1/limits: every limit that a program should keep to, as it is configured here. Public. */
export const limitsRoute: FastifyPluginCallback<{ gateway: Gateway }> = (app, { gateway }, done) => {
  const { perAccount, bufferedBytes } = gateway.streamBounds
  const answer = {
    rates: Object.values(gateway.rates.policies).map(({ name, rate }) => ({ name, ...rate })),
    requestBytes: limits.requestBytes,
    openOrders: limits.openOrdersPerAccount,
    withdrawalsInFlight: limits.withdrawalsInFlight,
    connectionsPerAddress: gateway.connectionsPerAddress,
    streams: { perAccount, frameBytes: limits.streamFrameBytes, fragments: limits.streamFragments, requestsInFlight: limits.streamInFlight, bufferedBytes },
  }
  app.get('/api/v1/limits', { schema }, async () => answer)
  done()
}
