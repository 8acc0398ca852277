import t from 'tap'
import type { Refused } from '../../src/client/errors.ts'
import { readBatch, verifyReceipt } from '../../src/client/receipt.ts'
import type { FeedMessage } from '../../src/protocol/feed.ts'
import { VenueUnderTest } from './venueUnderTest.ts'

const XLM = 'XLM-USDC'
const EURC = 'EURC-USDC'

t.setTimeout(600_000)
const under = await VenueUnderTest.start(3)
// The same three traders throughout: whatever one test did wrong shows in all later ones.
const books = await under.books('alice', 'bob', 'carol')
t.teardown(async () => {
  await books.close()
  await under.stop()
})

t.test('a full fill', async (t) => {
  const sell = await books.limit('alice', XLM, 'sell', '13.7', '0.1357')
  t.match(sell, { status: 'open', filledQuantity: '0' })
  const buy = await books.limit('bob', XLM, 'buy', '13.7', '0.1357')
  t.match(buy, { status: 'filled', reason: 'filled', filledQuantity: '13.7', filledQuote: '1.85909' })
  books.traded('bob', 'alice', XLM, '13.7', '0.1357')
  await books.check(t)
  t.match(await books.client('alice').order(sell.id), { status: 'filled', filledQuantity: '13.7' })
  const fills = ['alice', 'bob'].map((role) => books.feed(role).messages.find(({ type }) => type === 'fill'))
  t.match(fills, [
    { role: 'maker', side: 'sell', price: '0.1357', quantity: '13.7', quote: '1.85909' },
    { role: 'taker', side: 'buy', price: '0.1357', quantity: '13.7', quote: '1.85909' },
  ])
  for (const [n, role] of ['alice', 'bob'].entries()) {
    const client = books.client(role)
    const receipt = await client.receipt((fills[n] as Extract<FeedMessage, { type: 'fill' }>).trade)
    t.match(verifyReceipt(receipt, await readBatch(under.venue.chain.url, receipt, client.venue.vault)), { account: client.binding.account, quantity: '13.7', quote: '1.85909', size: 2 })
  }
})

t.test('a partial fill, the rest resting', async (t) => {
  await books.limit('alice', XLM, 'sell', '40', '0.2')
  const buy = await books.limit('bob', XLM, 'buy', '100', '0.25')
  t.match(buy, { status: 'open', filledQuantity: '40', filledQuote: '8' })
  books.traded('bob', 'alice', XLM, '40', '0.2')
  // What it got cheaper than its limit is free again: 60 at 0.25 are left to pay.
  books.reserves('bob', 'USDC', '15')
  await books.check(t)
  t.match(await books.client('bob').orderbook(XLM), { bids: [{ id: buy.id, price: '0.25', quantity: '100', filledQuantity: '40' }], asks: [] })
  await books.cancelAll()
  await books.check(t)
})

t.test('batches: a ladder, what takes it, and the rest of it taken back', async (t) => {
  const ladder = ['0.41', '0.42', '0.43', '0.44'].map((price) => ({ side: 'sell', type: 'limit', price, quantity: '5', timeInForce: 'GTC' }) as const)
  const placed = await books.client('alice').placeOrders(XLM, [...ladder, { ...ladder[0]!, quantity: '100000' }])
  t.same(placed.map(({ order, error }) => order?.status ?? (error as Refused).code), ['open', 'open', 'open', 'open', 'funds_insufficient'])
  // Taken in their order: the first one gets the better price.
  const takers = await books.client('bob').placeOrders(XLM, ['0.43', '0.43'].map((price) => ({ side: 'buy', type: 'limit', price, quantity: '5', timeInForce: 'IOC' }) as const))
  t.same(takers.map(({ order }) => order?.filledQuote), ['2.05', '2.1'])
  books.traded('bob', 'alice', XLM, '5', '0.41')
  books.traded('bob', 'alice', XLM, '5', '0.42')
  const ids = placed.flatMap(({ order }) => (order === undefined ? [] : [order.id]))
  const cancelled = await books.client('alice').cancelOrders(ids)
  t.same(cancelled.map(({ order, error }) => order?.status ?? (error as Refused).code), ['order_not_open', 'order_not_open', 'cancelled', 'cancelled'])
  await books.check(t)
})

t.test('a sweep of several price levels', async (t) => {
  await books.limit('carol', XLM, 'sell', '30', '0.32')
  await books.limit('alice', XLM, 'sell', '10', '0.3')
  await books.limit('alice', XLM, 'sell', '20', '0.31')
  const sweep = await books.place('bob', XLM, { side: 'buy', type: 'market', quantity: '50', price: '0.32', timeInForce: 'IOC' })
  t.match(sweep, { status: 'filled', filledQuantity: '50', filledQuote: '15.6' })
  books.traded('bob', 'alice', XLM, '10', '0.3')
  books.traded('bob', 'alice', XLM, '20', '0.31')
  books.traded('bob', 'carol', XLM, '20', '0.32')
  books.reserves('carol', 'XLM', '10')
  await books.check(t)
  t.same(
    books.feed('bob').messages.flatMap((message) => (message.type === 'fill' ? [message.price] : [])).slice(-3),
    ['0.3', '0.31', '0.32'],
    'best price first',
  )
  await books.cancelAll()
  await books.check(t)
})

t.test('the rest of an IOC is returned, and a market buy spends what it may', async (t) => {
  await books.limit('alice', XLM, 'sell', '10', '0.4')
  const ioc = await books.limit('bob', XLM, 'buy', '25', '0.4', 'IOC')
  t.match(ioc, { status: 'cancelled', reason: 'no_liquidity', filledQuantity: '10', filledQuote: '4' })
  books.traded('bob', 'alice', XLM, '10', '0.4')
  await books.limit('alice', XLM, 'sell', '10', '0.5')
  const spend = await books.place('bob', XLM, { side: 'buy', type: 'market', spend: '2.53', timeInForce: 'IOC' })
  t.match(spend, { filledQuantity: '5', filledQuote: '2.5', spend: '2.53' })
  books.traded('bob', 'alice', XLM, '5', '0.5')
  books.reserves('alice', 'XLM', '5')
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})

t.test('a FOK that cannot fill touches nothing', async (t) => {
  const sell = await books.limit('alice', XLM, 'sell', '10', '0.3')
  const fok = await books.limit('bob', XLM, 'buy', '10.1', '0.3', 'FOK')
  t.match(fok, { status: 'cancelled', reason: 'fok_unfillable', filledQuantity: '0', filledQuote: '0' })
  t.match(await books.client('alice').order(sell.id), { status: 'open', filledQuantity: '0' })
  books.reserves('alice', 'XLM', '10')
  await books.check(t)
  const whole = await books.limit('bob', XLM, 'buy', '10', '0.3', 'FOK')
  t.match(whole, { status: 'filled' })
  books.traded('bob', 'alice', XLM, '10', '0.3')
  books.reserves('alice', 'XLM', '0')
  await books.check(t)
})

t.test('a signed cancel', async (t) => {
  const sell = await books.limit('alice', XLM, 'sell', '50', '0.6')
  books.reserves('alice', 'XLM', '50')
  await books.check(t)
  t.match(await books.client('alice').cancelOrder(sell.id), { id: sell.id, status: 'cancelled', reason: 'cancelled', filledQuantity: '0' })
  books.reserves('alice', 'XLM', '0')
  await books.check(t)
  const late = await books.limit('bob', XLM, 'buy', '50', '0.6', 'IOC')
  t.match(late, { status: 'cancelled', reason: 'no_liquidity', filledQuantity: '0' }, 'nobody trades with what was taken back')
  await books.check(t)
})

t.test('orders of one account that would meet do not trade', async (t) => {
  const sell = await books.limit('carol', XLM, 'sell', '10', '0.7')
  const buy = await books.limit('carol', XLM, 'buy', '10', '0.7')
  t.match(buy, { status: 'cancelled', reason: 'self_trade', filledQuantity: '0' })
  t.match(await books.client('carol').order(sell.id), { status: 'open', filledQuantity: '0' })
  books.reserves('carol', 'XLM', '10')
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})

t.test('two orders in two markets cannot promise the same money', async (t) => {
  const client = books.client('bob')
  const [one, other] = await Promise.all([
    client.signOrder(XLM, { side: 'buy', type: 'limit', price: '0.06', quantity: '10000', timeInForce: 'GTC' }),
    client.signOrder(EURC, { side: 'buy', type: 'limit', price: '0.6', quantity: '1000', timeInForce: 'GTC' }),
  ])
  const outcomes = await Promise.allSettled([client.sendOrder(one), client.sendOrder(other)])
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1, 'one is taken')
  t.match(outcomes.find(({ status }) => status === 'rejected'), { reason: { code: 'funds_insufficient' } }, 'the other is refused')
  books.reserves('bob', 'USDC', '600')
  await books.check(t)
  await books.cancelAll()
  await books.check(t)
})

t.test('proceeds can be traded on before they are settled', async (t) => {
  await books.limit('alice', XLM, 'sell', '500', '0.9')
  await books.limit('bob', XLM, 'buy', '500', '0.9')
  books.traded('bob', 'alice', XLM, '500', '0.9')
  // More XLM than the chain shows for bob, and more USDC than it shows for alice: what they have just traded is among it.
  await books.limit('bob', XLM, 'sell', '1500', '0.8')
  t.match(await books.limit('alice', XLM, 'buy', '1500', '0.8'), { status: 'filled', filledQuantity: '1500' })
  books.traded('alice', 'bob', XLM, '1500', '0.8')
  await books.check(t)
})

t.test('both markets, many orders at once', async (t) => {
  const lines = Array.from({ length: 40 }, (_, i) => ({ market: i % 2 === 0 ? XLM : EURC, price: i % 2 === 0 ? '0.11' : '1.05', seller: i % 3 === 0 ? 'alice' : 'carol' }))
  await Promise.all(lines.map(({ market, price, seller }) => books.limit(seller, market, 'sell', '2', price)))
  const buys = await Promise.all(lines.map(({ market, price }) => books.limit('bob', market, 'buy', '2', price)))
  t.ok(buys.every(({ status }) => status === 'filled'), 'each finds its match')
  for (const { market, price, seller } of lines) books.traded('bob', seller, market, '2', price)
  await books.check(t)
})
