import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import { readPage } from '../monitoring/page.ts'
import { until } from '../settlement/waiting.ts'
import { persist, refusal, VenueUnderTest } from './venueUnderTest.ts'

// What `npm run cluster` runs: three nodes, each with a nats-server of one cluster, a shard and a gateway, on streams of three copies.

const MARKETS = [
  ['XLM', 'USDC'],
  ['EURC', 'USDC'],
  ['XLM', 'EURC'],
] as const
const PRICE = '0.5'
const LOT = '10'

t.setTimeout(300_000)
const under = await VenueUnderTest.start(2, { nodes: 3, markets: MARKETS, vaultPartitions: 3 })
const { venue } = under
const books = await under.books('alice', 'bob')
t.teardown(async () => {
  await books.close()
  await under.stop()
})

/** A trader's client at each gateway. */
const everywhere = (role: string): Promise<Client[]> => Promise.all(venue.nodes.map(({ gatewayUrl }) => Client.open(gatewayUrl, new SecretSigner(books.trader(role).key.secret()))))
const alices = await everywhere('alice')
const bobs = await everywhere('bob')

t.test('every node matches a market', async (t) => {
  const { actors } = (await under.darkpool('status')) as { actors: readonly { readonly actor: string; readonly owner: string; readonly state: string }[] }
  const pairs = actors.filter(({ actor }) => actor.startsWith('pair.'))
  t.same(pairs.map(({ owner }) => owner).sort(), venue.nodes.map(({ name }) => name))
  t.ok(actors.every(({ state }) => state === 'running'))
})

/** As an operator who has nothing but his key and the address of one gateway: the NATS that it names speaks TLS, by the venue's own authority. */
const byOperator = (gateway: string, ...args: readonly string[]) => under.darkpool(...args, '--operator', venue.keyPath('operator'), '--url', gateway)

t.test('an operator has every process of every node measured', async (t) => {
  const { processes, page } = (await byOperator(venue.gatewayUrl, 'metrics', '--gateways', '3')) as { readonly processes: readonly { readonly instance: string; readonly answered: boolean }[]; readonly page: string }
  t.ok(processes.every(({ answered }) => answered))
  t.same(processes.map(({ instance }) => instance.replace(/^gw_.*/, 'gw')).sort(), ['gateways', 'gw', 'gw', 'gw', ...venue.nodes.map(({ name }) => `shard-${name}`)])
  const connected = readPage(page).get('darkpool_process_nats_connected')?.samples ?? []
  t.same(connected.map(({ labels: { instance }, value }) => [instance, value]).sort(), processes.filter(({ instance }) => instance !== 'gateways').map(({ instance }) => [instance, 1]).sort())
})

t.test('a client of any gateway trades every pair, with a client of any other', async (t) => {
  for (const [base, quote] of MARKETS) {
    const market = `${base}-${quote}`
    for (const [n, alice] of alices.entries()) {
      const bob = bobs[(n + 1) % bobs.length]!
      await alice.placeOrder(market, { side: 'sell', type: 'limit', price: PRICE, quantity: LOT, timeInForce: 'GTC' })
      const bought = await bob.placeOrder(market, { side: 'buy', type: 'limit', price: PRICE, quantity: LOT, timeInForce: 'GTC' })
      t.equal(bought.status, 'filled', `${market} at gateways ${n} and ${(n + 1) % bobs.length}`)
      books.traded('bob', 'alice', market, LOT, PRICE)
    }
  }
  await books.check(t)
})

t.test('funds are reserved once, at however many gateways they are offered at the same time', async (t) => {
  // Alice has the whole of her EURC at each gateway, for another market each time.
  const before = (await alices[0]!.balances()).find(({ asset }) => asset === 'EURC')!.available
  const order = { side: 'sell', type: 'limit', price: '1.9', quantity: before, timeInForce: 'GTC' } as const
  const outcomes = await Promise.all(alices.map((client) => refusal(client.placeOrder('EURC-USDC', order))))
  t.same(outcomes.sort(), ['funds_insufficient', 'funds_insufficient', 'taken'])
  for (const client of alices) t.equal((await client.orders({ status: 'open' })).length, 1)
  await books.cancelAll()
})

t.test('a whole node dies, and the other two go on with every order', async (t) => {
  const [, lost] = venue.nodes
  if (!lost) throw new Error('three nodes are needed')
  const resting = await Promise.all(MARKETS.map(async ([base, quote]) => alices[0]!.placeOrder(`${base}-${quote}`, { side: 'sell', type: 'limit', price: PRICE, quantity: LOT, timeInForce: 'GTC' })))
  for (const server of [lost.gateway, lost.shard, lost.nats]) await server.kill()
  for (const [base, quote] of MARKETS) {
    const market = `${base}-${quote}`
    const request = await bobs[2]!.signOrder(market, { side: 'buy', type: 'limit', price: PRICE, quantity: LOT, timeInForce: 'GTC' })
    const { id } = await persist(() => bobs[2]!.sendOrder(request))
    // Taken, and perhaps still on its way to a market that is between two owners.
    for (const end = Date.now() + 30_000; Date.now() < end && (await persist(() => bobs[2]!.order(id))).status !== 'filled'; ) await delay(100)
    t.equal((await persist(() => bobs[2]!.order(id))).status, 'filled', market)
    books.traded('bob', 'alice', market, LOT, PRICE)
  }
  for (const { id } of resting) t.equal((await persist(() => alices[0]!.order(id))).status, 'filled')
  await until('an operator finds every actor on the other two, by whatever is left', async () => {
    const seen = (await byOperator(venue.nodes[2]!.gatewayUrl, 'status').catch(() => null)) as { readonly nodes: readonly { readonly node: string }[] } | null
    return seen !== null && seen.nodes.length === 2
  })
  for (const server of lost.servers) await server.start()
  await venue.ready()
  await books.check(t)
  t.same(await persist(() => bobs[1]!.balances()), await bobs[0]!.balances(), 'its gateway serves again')
})
