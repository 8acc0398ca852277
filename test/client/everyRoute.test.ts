import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { NeverSent } from '../../src/client/errors.ts'
import type { Socket } from '../../src/client/wire.ts'
import { fetchTransport } from '../../src/client/transport.ts'
import type { Transport } from '../../src/client/transport.ts'
import { marketName } from '../gateway/fakeVault.ts'
import { openStage, trader } from '../gateway/stage.ts'

// Every route that the gateway describes has a call, and no call asks for what is not described.

const stage = await openStage()
t.teardown(() => stage.close())

/** Routes that are not for programs of this kind, and whom they are for. */
const forOthers = new Map([['GET /.well-known/stellar.toml', 'wallets, which look for where to log in']])

const asked = new Set<string>()
const noting: Transport = {
  carry(outgoing) {
    asked.add(`${outgoing.method} ${outgoing.url.pathname}`)
    return fetchTransport.carry(outgoing)
  },
}
const deaf = (url: string): Socket => {
  asked.add(`GET ${new URL(url).pathname}`)
  throw new NeverSent(new Error('only the address counts'), { passing: false })
}
const id = 'ab'.repeat(32)
const key = trader('bob').address
const order = { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' } as const

/** A call of each kind. What comes of it does not matter here. */
const calls: readonly ((client: Client) => Promise<unknown>)[] = [
  (client) => client.markets(),
  (client) => client.marketState(marketName),
  (client) => client.tape(marketName).next(),
  (client) => client.time(),
  (client) => client.attestation('ab'.repeat(32)),
  (client) => client.info(),
  (client) => client.limits(),
  (client) => client.alive(),
  (client) => client.ready(),
  (client) => client.info(),
  (client) => client.attestation(id),
  (client) => client.description(),
  (client) => client.streamsDescription(),
  (client) => client.login(),
  (client) => client.order(id),
  (client) => client.orders(),
  (client) => client.orderbook(marketName),
  (client) => client.balances(),
  (client) => client.withdrawal(id),
  (client) => client.orderByClientId('mine-1'),
  (client) => client.cancelOrderByClientId('mine-1'),
  (client) => client.keys(),
  (client) => client.feedKeys(),
  (client) => client.setDeadMan(30),
  (client) => client.deadManTimers(),
  (client) => client.receipt('XLM-USDC:1'),
  (client) => client.history.fills().next(),
  (client) => client.history.closedOrders().next(),
  (client) => client.history.settlements().next(),
  (client) => client.history.deposits().next(),
  (client) => client.history.withdrawals().next(),
  (client) => client.history.trade(`${marketName}:1`),
  (client) => client.placeOrder(marketName, order),
  (client) => client.amendOrder(id, '0.12', '10'),
  (client) => client.cancelOrder(id),
  (client) => client.cancelAllOrders(),
  (client) => client.placeOrders(marketName, [order]),
  (client) => client.cancelOrders([id]),
  (client) => client.withdraw('XLM', '1'),
  (client) => client.delegate(key, { scope: 'read', until: Math.floor(Date.now() / 1000) + 600 }),
  (client) => client.revoke(key),
  (client) => client.stream({ channels: ['orders'], openSocket: deaf }).next(),
]

t.test('every route has a call, and every call a route', async (t) => {
  stage.vault.script = () => ({ answer: { refused: 'account_unavailable' } })
  const client = await Client.open(stage.url, trader('alice'), { transport: noting, retry: false })
  for (const call of calls) await call(client).catch(() => undefined)
  const document = (await client.description()) as { paths: Record<string, Record<string, unknown>> }
  const routes = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
  t.ok(routes.length > 20)
  // A path with a parameter is one of as many parts, and never one that is written out elsewhere.
  const literal = new Set(routes.filter((route) => !route.includes('{')))
  const matches = (route: string) => [...asked].some((one) => one === route || (!literal.has(one) && new RegExp(`^${route.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(one)))
  t.same(routes.filter((route) => !forOthers.has(route) && !matches(route)), [], 'routes without a call')
  const known = (one: string) => routes.some((route) => one === route || new RegExp(`^${route.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(one))
  t.same([...asked].filter((one) => !known(one)), [], 'calls without a route')
  t.match(await client.ready(), { ready: false, missing: Array }, 'not ready is an answer')
  t.match(await client.limits(), { rates: [{ name: String }], streams: { perAccount: Number } })
})
