import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { Ticks } from '../../src/protocol/identity.ts'
import { Refused } from '../../src/client/errors.ts'
import { controlMarket } from './control.ts'
import { VenueUnderTest } from './venueUnderTest.ts'

const XLM = 'XLM-USDC'
const EURC = 'EURC-USDC'

t.setTimeout(600_000)
const under = await VenueUnderTest.start(3)
const books = await under.books('alice', 'bob', 'carol')
t.teardown(async () => {
  await books.close()
  await under.stop()
})
const limit = { type: 'limit', timeInForce: 'GTC' } as const

t.test('post-only never takes', async (t) => {
  await books.limit('alice', XLM, 'sell', '10', '0.3')
  const refused = await books.place('bob', XLM, { ...limit, side: 'buy', price: '0.3', quantity: '10', postOnly: 'true' })
  t.match(refused, { status: 'rejected', reason: 'post_only_would_trade', postOnly: true })
  const rests = await books.place('bob', XLM, { ...limit, side: 'buy', price: '0.2999', quantity: '10', postOnly: 'true' })
  t.match(rests, { status: 'open' })
  await books.cancelAll()
  await books.check(t)
})

t.test('all-or-none waits in its place until what rests opposite can meet it together', async (t) => {
  const whole = await books.place('alice', XLM, { ...limit, side: 'buy', price: '0.4', quantity: '100', allOrNone: 'true' })
  t.match(whole, { status: 'open', allOrNone: true })
  t.match(await books.limit('bob', XLM, 'sell', '60', '0.39'), { status: 'open' }, 'not enough, and nothing else to trade with')
  t.match(await books.limit('carol', XLM, 'sell', '40', '0.4'), { status: 'filled' }, 'together they are')
  // Who waited takes: the orders it meets are makers at their own prices.
  books.traded('alice', 'bob', XLM, '60', '0.39')
  books.traded('alice', 'carol', XLM, '40', '0.4')
  t.match(await books.client('alice').order(whole.id), { status: 'filled', filledQuote: '39.4' })
  await books.check(t)
})

t.test('minimums: of an execution, of every fill, and the remainder returned', async (t) => {
  await books.limit('alice', XLM, 'sell', '10', '0.3')
  await books.limit('carol', XLM, 'sell', '10', '0.3')
  const unmet = await books.place('bob', XLM, { side: 'buy', type: 'limit', timeInForce: 'IOC', price: '0.3', quantity: '50', minimum: '20.1' })
  t.match(unmet, { status: 'cancelled', reason: 'minimum_unmet', filledQuantity: '0', minimum: '20.1', minimumPer: 'execution' })
  const single = await books.place('bob', XLM, { side: 'buy', type: 'limit', timeInForce: 'IOC', price: '0.3', quantity: '50', minimum: '11', minimumPer: 'counterparty' })
  t.match(single, { status: 'cancelled', reason: 'no_liquidity', filledQuantity: '0' })
  const returned = await books.place('bob', XLM, { ...limit, side: 'buy', price: '0.3', quantity: '25', minimum: '15', remainder: 'return' })
  t.match(returned, { status: 'cancelled', reason: 'remainder_returned', filledQuantity: '20' })
  books.traded('bob', 'alice', XLM, '10', '0.3')
  books.traded('bob', 'carol', XLM, '10', '0.3')
  await books.check(t)
})

t.test('self-trade prevention: the mode of the order that comes in', async (t) => {
  const old = await books.limit('carol', XLM, 'sell', '10', '0.5')
  const oldest = await books.place('carol', XLM, { ...limit, side: 'buy', price: '0.5', quantity: '4', selfTrade: 'cancelOldest' })
  t.match(oldest, { status: 'open', filledQuantity: '0' })
  t.match(await books.client('carol').order(old.id), { status: 'cancelled', reason: 'self_trade' })
  const less = await books.place('carol', XLM, { ...limit, side: 'sell', price: '0.5', quantity: '10', selfTrade: 'decrement' })
  t.match(less, { status: 'open', quantity: '6', filledQuantity: '0' }, 'four were taken off both')
  t.match(await books.client('carol').order(oldest.id), { status: 'cancelled', reason: 'self_trade' })
  books.reserves('carol', 'XLM', '6')
  const both = await books.place('carol', XLM, { ...limit, side: 'buy', price: '0.5', quantity: '1', selfTrade: 'cancelBoth' })
  t.match(both, { status: 'cancelled', reason: 'self_trade' })
  books.reserves('carol', 'XLM', '0')
  await books.check(t)
})

t.test('amends hold what they need, keep or lose the place, and trade where they cross', async (t) => {
  const client = books.client('alice')
  const first = await books.limit('alice', EURC, 'buy', '10', '1')
  const second = await books.limit('carol', EURC, 'buy', '10', '1')
  t.match(await client.amendOrder(first.id, '1', '8'), { status: 'open', quantity: '8', price: '1' })
  books.reserves('alice', 'USDC', '8')
  await books.limit('bob', EURC, 'sell', '3', '1')
  books.traded('alice', 'bob', EURC, '3', '1')
  books.reserves('alice', 'USDC', '5')
  t.match(await client.amendOrder(first.id, '1', '20'), { status: 'open', quantity: '20', filledQuantity: '3' }, 'a larger one goes to the end')
  books.reserves('alice', 'USDC', '17')
  await books.limit('bob', EURC, 'sell', '4', '1')
  books.traded('carol', 'bob', EURC, '4', '1')
  await books.limit('bob', EURC, 'sell', '5', '1.1')
  t.match(await client.amendOrder(first.id, '1.2', '20'), { status: 'open', filledQuantity: '8', price: '1.2' }, 'it now meets somebody')
  books.traded('alice', 'bob', EURC, '5', '1.1')
  books.reserves('alice', 'USDC', '14.4')
  books.reserves('carol', 'USDC', '6')
  await t.rejects(client.amendOrder(first.id, '1.2', '8'), { code: 'amend_too_late' })
  await t.rejects(client.amendOrder(first.id, '1.2', '1000000'), { code: 'funds_insufficient' })
  await t.rejects(client.amendOrder(second.id, '1', '5'), { code: 'order_unknown' }, "somebody else's order")
  await books.check(t)
  const request = await client.signAmend(first.id, '1', '9')
  t.match(await client.sendAmend(request), { quantity: '9' })
  t.match(await client.sendAmend(request), { quantity: '9', status: 'open' }, 'the same message again is the same amend')
  t.match(await client.cancelAllOrders(), { cancelled: 1, waiting: [] })
  await t.rejects(client.amendOrder(first.id, '1', '12'), { code: 'order_not_open' })
  books.reserves('alice', 'USDC', '0')
  await books.cancelAll()
  await books.check(t)
})

t.test('an amend that races with a fill: one comes first, and never does more trade than was meant', async (t) => {
  const client = books.client('alice')
  const came = { amend: 0, fill: 0 }
  for (let round = 0; round < 12; round++) {
    const order = await books.limit('alice', EURC, 'buy', '10', '1')
    const amend = await client.signAmend(order.id, '1', '5')
    const [taken, amended] = await Promise.allSettled([books.limit('bob', EURC, 'sell', '6', '1', 'IOC'), round % 3 === 0 ? client.sendAmend(amend) : delay(round / 3).then(() => client.sendAmend(amend))])
    if (taken.status === 'rejected') throw taken.reason
    const filled = taken.value.filledQuantity
    books.traded('alice', 'bob', EURC, filled, '1')
    if (amended.status === 'fulfilled') {
      came.amend++
      t.equal(filled, '5', 'all of the amended order')
      t.match(amended.value, { quantity: '5' })
    } else {
      came.fill++
      t.equal(filled, '6')
      t.ok(amended.reason instanceof Refused)
      t.match(amended.reason, { code: 'amend_too_late', order: { status: 'open', filledQuantity: '6', quantity: '10' } })
    }
    t.match(await client.sendAmend(amend).catch((error: unknown) => error), amended.status === 'fulfilled' ? { quantity: '5' } : { code: 'amend_too_late' }, 'asked again, it is answered as before')
    if (amended.status === 'rejected') t.match(await client.cancelOrder(order.id), { filledQuantity: '6' })
  }
  t.comment(`the amend came first ${came.amend} times, the fill ${came.fill} times`)
  await books.check(t)
})

t.test('cancel-all takes back what there is, once', async (t) => {
  const client = books.client('bob')
  for (const price of ['0.1', '0.11', '0.12']) await books.limit('bob', XLM, 'buy', '1', price)
  await books.limit('bob', EURC, 'buy', '1', '0.9')
  const one = await client.signCancelAll(XLM)
  t.match(await client.sendCancelAll(one), { cancelled: 3, waiting: [] })
  await books.limit('bob', XLM, 'buy', '1', '0.1')
  t.match(await client.sendCancelAll(one), { cancelled: 3 }, 'the same message does nothing more')
  t.equal((await client.orders({ status: 'open' })).length, 2)
  t.match(await client.cancelAllOrders(), { cancelled: 2, waiting: [] })
  await t.rejects(client.cancelAllOrders('NO-SUCH'), { code: 'market_unknown' })
  books.reserves('bob', 'USDC', '0')
  await books.check(t)
})

t.test('an operator closes a market and opens it again', async (t) => {
  const resting = await books.limit('alice', XLM, 'sell', '5', '0.5')
  await controlMarket(books.venue, XLM, 'halted')
  t.match(await books.limit('bob', XLM, 'buy', '5', '0.5'), { status: 'rejected', reason: 'market_halted' })
  await t.rejects(books.client('alice').cancelOrder(resting.id), { code: 'market_halted', order: { status: 'open' } })
  t.match(await books.client('alice').cancelAllOrders(), { cancelled: 0, waiting: [], halted: [XLM] })
  t.match(await books.client('bob').marketState(XLM), { state: 'halted' })
  await controlMarket(books.venue, XLM, 'cancelOnly')
  t.match(await books.limit('bob', XLM, 'buy', '5', '0.5'), { status: 'rejected', reason: 'market_cancel_only' })
  await t.rejects(books.client('alice').amendOrder(resting.id, '0.5', '4'), { code: 'market_cancel_only' })
  t.match(await books.client('alice').cancelOrder(resting.id), { status: 'cancelled' })
  await controlMarket(books.venue, XLM, 'open', { lowTicks: 4_000 as Ticks, highTicks: 6_000 as Ticks })
  t.strictSame(await books.client('bob').marketState(XLM), { name: XLM, state: 'open', lowestPrice: '0.4', highestPrice: '0.6' })
  t.match(await books.limit('alice', XLM, 'sell', '5', '0.3999'), { status: 'rejected', reason: 'price_outside_band' })
  const inside = await books.limit('alice', XLM, 'sell', '5', '0.6')
  await t.rejects(books.client('alice').amendOrder(inside.id, '0.7', '5'), { code: 'price_outside_band', order: { status: 'open', price: '0.6', quantity: '5' } })
  await controlMarket(books.venue, XLM, 'open')
  t.match(await books.client('alice').amendOrder(inside.id, '0.7', '5'), { price: '0.7' })
  t.match(await books.client('alice').cancelAllOrders(XLM), { cancelled: 1, halted: [] })
  books.reserves('alice', 'XLM', '0')
  await books.check(t)
})
