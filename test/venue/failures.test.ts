import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { readMetrics, total } from '../monitoring/page.ts'
import { until } from '../settlement/waiting.ts'
import { persist, VenueUnderTest } from './venueUnderTest.ts'

const XLM = 'XLM-USDC'
const EURC = 'EURC-USDC'

t.setTimeout(900_000)
const under = await VenueUnderTest.start(2)
const { venue } = under
const books = await under.books('alice', 'bob')
t.teardown(async () => {
  await books.close()
  await under.stop()
})
const alice = books.client('alice')

t.test("a pair's worker is killed while another pair trades on, then back with its book", async (t) => {
  const resting = await books.limit('alice', XLM, 'sell', '100', '0.5')
  books.reserves('alice', 'XLM', '100')
  venue.terminate(`pair.${XLM}`)
  // The vault still takes the order for the market that is away, and the market that is not away trades.
  const waiting = books.limit('bob', XLM, 'buy', '60', '0.5')
  await books.limit('alice', EURC, 'sell', '30', '1.1')
  t.match(await books.limit('bob', EURC, 'buy', '30', '1.1'), { status: 'filled', filledQuantity: '30' })
  books.traded('bob', 'alice', EURC, '30', '1.1')
  t.match(await waiting, { status: 'filled', filledQuantity: '60' }, 'the book is back with what rested in it')
  books.traded('bob', 'alice', XLM, '60', '0.5')
  books.reserves('alice', 'XLM', '40')
  await books.check(t)
  t.match(await alice.order(resting.id), { status: 'open', filledQuantity: '60' })
  await books.cancelAll()
  await books.check(t)
})

t.test('every actor is killed in turn while orders come in', async (t) => {
  for (const actor of ['vault.0', 'vault.1', 'settlement.0', `pair.${EURC}`, 'watcher.0']) {
    const sell = books.limit('alice', EURC, 'sell', '5', '1.2')
    venue.terminate(actor)
    t.match(await sell, { filledQuantity: '0' }, `an order while ${actor} is away`)
    t.match(await books.limit('bob', EURC, 'buy', '5', '1.2'), { status: 'filled' })
    books.traded('bob', 'alice', EURC, '5', '1.2')
  }
  await books.check(t)
})

t.test('nats-server is killed and started again', async (t) => {
  await books.limit('alice', XLM, 'sell', '50', '0.6')
  await books.limit('bob', XLM, 'buy', '20', '0.6')
  books.traded('bob', 'alice', XLM, '20', '0.6')
  await venue.nats.kill()
  const waiting = books.limit('bob', XLM, 'buy', '10', '0.6')
  await delay(1_000)
  await venue.nats.start()
  t.match(await waiting, { status: 'filled', filledQuantity: '10' })
  books.traded('bob', 'alice', XLM, '10', '0.6')
  books.reserves('alice', 'XLM', '20')
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})

t.test('localnet is stopped for a while, and what was traded is settled afterwards', async (t) => {
  await venue.localnet.stop()
  for (let i = 0; i < 5; i++) {
    await books.limit('alice', XLM, 'sell', '7', '0.7')
    t.match(await books.limit('bob', XLM, 'buy', '7', '0.7'), { status: 'filled' }, 'trading goes on')
    books.traded('bob', 'alice', XLM, '7', '0.7')
  }
  await delay(2_000)
  const shown = (await alice.balances()).find(({ asset }) => asset === 'XLM')
  t.match(shown, { pending: '-35' }, 'nothing of it is settled yet')
  await until('metrics say so', async () => {
    const { page } = await readMetrics(venue.nodes[0].metricsUrls[1])
    return total(page, 'darkpool_rpc_endpoints_down', { actor: 'watcher.0' }) === 1 && total(page, 'darkpool_settlement_lag_seconds')! > 0
  })
  await venue.localnet.start()
  await books.check(t)
})

t.test('localnet is killed while a batch is on its way', async (t) => {
  await books.limit('alice', XLM, 'sell', '9', '0.7')
  await books.limit('bob', XLM, 'buy', '9', '0.7')
  books.traded('bob', 'alice', XLM, '9', '0.7')
  await delay(150)
  await venue.localnet.kill()
  await venue.localnet.start()
  await books.check(t)
})

t.test('the shard is killed and started again', async (t) => {
  const resting = await books.limit('alice', EURC, 'sell', '40', '1.3')
  await books.limit('bob', EURC, 'buy', '10', '1.3')
  books.traded('bob', 'alice', EURC, '10', '1.3')
  await venue.shard.kill()
  await venue.shard.start()
  await venue.ready()
  t.match(await persist(() => alice.order(resting.id)), { status: 'open', filledQuantity: '10' })
  await books.limit('bob', EURC, 'buy', '10', '1.3')
  books.traded('bob', 'alice', EURC, '10', '1.3')
  books.reserves('alice', 'EURC', '20')
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})

t.test('the shard is away longer than a dead-man timer: the orders are gone before anything trades', async (t) => {
  const resting = await books.limit('alice', XLM, 'sell', '10', '0.5')
  const { deadline } = await alice.setDeadMan(5)
  await venue.shard.kill()
  await delay(Math.max(0, Date.parse(deadline!) - Date.now()) + 500)
  // Signed and sent before the venue is back: it comes as early as anything can.
  const bid = books.limit('bob', XLM, 'buy', '10', '0.5')
  await venue.shard.start()
  t.match(await bid, { status: 'open', filledQuantity: '0' })
  t.match(await persist(() => alice.order(resting.id)), { status: 'cancelled', reason: 'dead_man', filledQuantity: '0' })
  books.reserves('bob', 'USDC', '5')
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})

t.test('the gateway is killed, and the same message finds the same order', async (t) => {
  const request = await alice.signOrder(XLM, { side: 'sell', type: 'limit', price: '0.8', quantity: '3', timeInForce: 'GTC' })
  const first = await alice.sendOrder(request)
  await venue.gateway.kill()
  await venue.gateway.start()
  await venue.ready()
  t.match(await persist(() => alice.sendOrder(request)), { id: first.id, status: 'open' })
  t.equal((await alice.orders({ status: 'open' })).length, 1)
  books.reserves('alice', 'XLM', '3')
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})

t.test('the whole venue is stopped and started', async (t) => {
  const ask = await books.limit('alice', XLM, 'sell', '100', '0.9')
  const bid = await books.limit('bob', XLM, 'buy', '50', '0.4')
  await books.limit('bob', XLM, 'buy', '30', '0.9')
  books.traded('bob', 'alice', XLM, '30', '0.9')
  books.reserves('alice', 'XLM', '70')
  books.reserves('bob', 'USDC', '20')
  // Not settled yet, most likely: it has to be settled by what comes back.
  await venue.stopServers()
  await venue.startChain()
  await venue.startServers()
  await books.check(t)
  t.match(await alice.orderbook(XLM), { asks: [{ id: ask.id, filledQuantity: '30' }], bids: [] })
  t.match(await books.client('bob').orderbook(XLM), { bids: [{ id: bid.id, filledQuantity: '0' }], asks: [] })
  t.match(await books.limit('bob', XLM, 'buy', '70', '0.9'), { status: 'filled' }, 'the book goes on')
  books.traded('bob', 'alice', XLM, '70', '0.9')
  books.reserves('alice', 'XLM', '0')
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})

t.test('a power cut: everything is killed at once', async (t) => {
  await books.limit('alice', EURC, 'sell', '60', '1.4')
  await books.limit('bob', EURC, 'buy', '25', '1.4')
  books.traded('bob', 'alice', EURC, '25', '1.4')
  books.reserves('alice', 'EURC', '35')
  await Promise.all(venue.servers.map((server) => server.kill()))
  await venue.startChain()
  await venue.startServers()
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})
