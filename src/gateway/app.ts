import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { TlsIdentity } from '../enclave/tlsIdentity.ts'
import { Refusal } from '../protocol/errors.ts'
import { limits } from '../protocol/limits.ts'
import { answerHeaders } from './document/answerHeaders.ts'
import { OpenApi } from './document/openApi.ts'
import type { Gateway } from './gateway.ts'
import { HttpCaller } from './httpCaller.ts'
import { boundConnections } from './limits/connections.ts'
import { isCancel } from './limits/rates.ts'
import type { AddressBudget } from './limits/rates.ts'
import { failure } from './log.ts'
import { refusalOf, sendProblem } from './problem.ts'
import { endWithProblem } from './rawProblem.ts'
import { amendOrderRoute } from './routes/amendOrder.ts'
import { asyncApiRoute } from './routes/asyncApi.ts'
import { attestationRoute } from './routes/attestation.ts'
import { authRoute } from './routes/auth.ts'
import { balancesRoute } from './routes/balances.ts'
import { batchRoutes } from './routes/batches.ts'
import { cancelAllOrdersRoute } from './routes/cancelAllOrders.ts'
import { cancelOrderRoute } from './routes/cancelOrder.ts'
import { deadManRoutes } from './routes/deadMan.ts'
import { depositsRoute } from './routes/deposits.ts'
import { feedKeyRoute } from './routes/feedKey.ts'
import { fillsRoute } from './routes/fills.ts'
import { getOrderRoute } from './routes/getOrder.ts'
import { getReceiptRoute } from './routes/getReceipt.ts'
import { getTradeRoute } from './routes/getTrade.ts'
import { getWithdrawalRoute } from './routes/getWithdrawal.ts'
import { healthRoute } from './routes/health.ts'
import { infoRoute } from './routes/info.ts'
import { keyRoutes } from './routes/keys.ts'
import { limitsRoute } from './routes/limits.ts'
import { listOrdersRoute } from './routes/listOrders.ts'
import { listWithdrawalsRoute } from './routes/listWithdrawals.ts'
import { marketStateRoute } from './routes/marketState.ts'
import { marketsRoute } from './routes/markets.ts'
import { openApiRoute } from './routes/openApi.ts'
import { orderbookRoute } from './routes/orderbook.ts'
import { placeOrderRoute } from './routes/placeOrder.ts'
import { readyRoute } from './routes/ready.ts'
import { requestWithdrawalRoute } from './routes/requestWithdrawal.ts'
import { settlementsRoute } from './routes/settlements.ts'
import { stellarTomlRoute } from './routes/stellarToml.ts'
import { streamRoute } from './routes/stream.ts'
import { tapeRoute } from './routes/tape.ts'
import { timeRoute } from './routes/time.ts'
import { RouteTable } from './routeTable.ts'
import { session, webOrigin } from './session.ts'
import { asksForStream, Streams } from './streams/streams.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Which routes it has. */
    readonly routes: RouteTable
    /** Its WebSocket connections. */
    readonly streams: Streams
  }
}

/** A whole request, head and body, must be there within this time: a slow client holds a connection, not the gateway. */
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 75_000
/** Fastify gives up on a start that takes longer: ten seconds by itself, which a machine that is busy with a whole venue's start needs. */
const START_TIMEOUT_MS = 120_000

/** What a client asks for once with each connection, and what costs more than a read. */
const costly: ReadonlySet<string> = new Set(['/auth', '/api/v1/attestation'])

/** The HTTP side of a gateway, every error of which leaves as problem+json. @param tls with which it ends TLS itself; null for plain HTTP */
export async function gatewayApp(gateway: Gateway, tls: TlsIdentity | null = null): Promise<FastifyInstance> {
  const { admission, log, name, rates, venue, tokenSecrets } = gateway
  let requests = 0
  const app = fastify({
    logger: false,
    ...listening(tls),
    bodyLimit: limits.requestBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    pluginTimeout: START_TIMEOUT_MS,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 128 },
    genReqId: () => `${name}-${(++requests).toString(36)}`,
    // Strict: a body is what was signed, so nothing of it is turned into something else or left out.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
    clientErrorHandler: answerNonsense,
  })

  function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    // Whatever else is wrong with what asks for nothing that is here, nobody would have read it. (A path that cannot be taken apart counts as one of those too.)
    const nothing = request.is404 && !(error instanceof Refusal) && !routes.methodsOf(request.url).includes(request.method)
    const refusal = nothing ? nothingThere(request, reply) : refusalOf(error)
    if (refusal === undefined) log.error({ at: 'app#answerError', requestId: request.id, ...failure(error) }, 'a request failed')
    sendProblem(reply, refusal ?? new Refusal('internal_error'))
  }

  /** Why there is no answer at a path, and which methods have one. */
  function nothingThere(request: FastifyRequest, reply: FastifyReply): Refusal {
    const allowed = routes.methodsOf(request.url)
    if (allowed.length > 0) void reply.header('allow', allowed.join(', '))
    return new Refusal(allowed.length > 0 ? 'method_not_allowed' : 'route_unknown')
  }

  app.addHook('onResponse', (_request, reply, next) => {
    gateway.meters.responded(reply.statusCode)
    next()
  })
  boundConnections(app.server, limits.connections, gateway.connectionsPerAddress)

  const routes = new RouteTable()
  app.decorate('routes', routes)
  const document = new OpenApi(answerHeaders, (route) => [route.onRequest].flat().includes(app.authenticate))
  const shadows = new Set<string>()
  app.addHook('onRoute', (route) => {
    if (shadows.has(`${[route.method].flat().join()} ${route.url}`)) return
    routes.add(route.method, route.url)
    document.add(route)
    const { action, cancels } = route.schema ?? {}
    const budget: AddressBudget = cancels === true || isCancel(action) ? 'addressCancels' : costly.has(route.url) ? 'logins' : 'requests'
    // Before a byte of the body is read: whoever sends too much, or comes when there is too much, costs next to nothing.
    const early = (request: FastifyRequest, reply: FastifyReply, next: (refusal?: Error) => void): void => {
      try {
        rates.fromAddress(budget, request.socket, new HttpCaller(reply))
        if (action !== undefined) admission.check(isCancel(action))
        next()
      } catch (refusal) {
        next(refusal as Error)
      }
    }
    route.onRequest = [early, ...[route.onRequest ?? []].flat()]
  })
  app.setErrorHandler(answerError)
  app.setNotFoundHandler((request, reply) => {
    rates.fromAddress('requests', request.socket, new HttpCaller(reply))
    sendProblem(reply, nothingThere(request, reply))
  })
  app.removeContentTypeParser('text/plain')

  await app.register(session, { venue, secrets: tokenSecrets, reads: rates.policies.reads, access: gateway.access })
  const withGateway = { gateway }
  for (const route of [placeOrderRoute, amendOrderRoute, cancelOrderRoute, cancelAllOrdersRoute, batchRoutes, deadManRoutes]) await app.register(route, withGateway)
  for (const route of [getOrderRoute, listOrdersRoute, orderbookRoute, balancesRoute, marketsRoute, marketStateRoute]) await app.register(route, withGateway)
  for (const route of [fillsRoute, getTradeRoute, getReceiptRoute, depositsRoute, listWithdrawalsRoute, settlementsRoute, tapeRoute, feedKeyRoute]) await app.register(route, withGateway)
  for (const route of [keyRoutes, requestWithdrawalRoute, getWithdrawalRoute, limitsRoute, authRoute, stellarTomlRoute, readyRoute, attestationRoute, infoRoute]) await app.register(route, withGateway)
  await app.register(streamRoute)
  await app.register(healthRoute)
  await app.register(timeRoute)
  const server = webOrigin(venue.file.gateway.homeDomain)
  await app.register(asyncApiRoute, { gateway, server })
  await app.register(openApiRoute, { document, server })
  for (const { method, url } of routes.shadowed) {
    shadows.add(`${method} ${url}`)
    app.route({ method, url, exposeHeadRoute: false, handler: (_request, reply) => void reply.callNotFound() })
  }
  const streams = new Streams(gateway, (token) => app.readToken(token))
  app.decorate('streams', streams)
  app.server.on('upgrade', (request, socket, head) => streams.upgrade(request, socket, head))
  app.addHook('preClose', () => streams.close())
  await app.ready()
  return app
}

/** Its types know one kind of server at a time; what the app asks of it, both have. */
function listening(tls: TlsIdentity | null): { http: { shouldUpgradeCallback: typeof asksForStream } } {
  const http = { shouldUpgradeCallback: asksForStream }
  return tls === null ? { http } : ({ https: { ...http, key: tls.key, cert: tls.cert, minVersion: 'TLSv1.3', handshakeTimeout: REQUEST_TIMEOUT_MS } } as unknown as { http: typeof http })
}

/** What is not HTTP never becomes a request; it gets an answer of the same form, and its connection ends. */
function answerNonsense(error: NodeJS.ErrnoException, socket: Socket): void {
  // Without a handshake nobody could read an answer.
  const unheard = socket instanceof TLSSocket && socket.getProtocol() === null
  if (error.code === 'ECONNRESET' || !socket.writable || unheard) {
    socket.destroy()
    return
  }
  endWithProblem(socket, new Refusal(error.code === 'HPE_HEADER_OVERFLOW' ? 'request_too_large' : 'request_malformed'))
}
