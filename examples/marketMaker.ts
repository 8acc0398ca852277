// A market maker: keeps orders on both sides of a price, and makes new ones when they trade. Ends, with everything taken back, at Ctrl-C.
//   node examples/marketMaker.ts --market XLM-USDC --middle 0.1 --spread 0.002 --levels 3 --quantity 10
import { setTimeout as delay } from 'node:timers/promises'
import type { NewOrder } from '../src/client/messages.ts'
import type { OrderView } from '../src/protocol/feed.ts'
import { connect } from './connect.ts'
import { floor, format, parse } from './decimals.ts'

const LOOK_ms = 500

const { client, given, end } = await connect({ market: 'XLM-USDC', middle: '0.1', spread: '0.002', levels: '3', quantity: '10' })
const { market: name, quantity } = given as { market: string; quantity: string }
const market = client.market(name)
const [middle, half, tick] = [parse(given.middle!), parse(given.spread!) / 2n, parse(market.tickSize)]
const levels = Number(given.levels)

/** What should rest: `levels` orders a side, each half a spread farther from the middle. Post-only: a maker never takes. */
const wanted = new Map<string, NewOrder>()
for (let level = 1n; level <= BigInt(levels); level++) {
  for (const side of ['buy', 'sell'] as const) {
    const price = format(floor(side === 'buy' ? middle - half * level : middle + half * level, tick))
    wanted.set(`${side} ${price}`, { side, type: 'limit', price, quantity, timeInForce: 'GTC', postOnly: 'true' })
  }
}
const keyOf = ({ side, price }: Pick<OrderView, 'side' | 'price'>): string => `${side} ${price}`

try {
  while (!end.aborted) {
    const open = await client.orders({ market: name, status: 'open', signal: end })
    const there = new Set(open.map(keyOf))
    const missing = [...wanted].filter(([key]) => !there.has(key)).map(([, order]) => order)
    if (missing.length > 0) {
      const results = await client.placeOrders(name, missing, { signal: end })
      for (const { order, error } of results) process.stdout.write(order === undefined ? `${error?.message}\n` : `${order.side} ${order.quantity} at ${order.price}: ${order.status}\n`)
    }
    await delay(LOOK_ms, undefined, { signal: end })
  }
} catch (error) {
  if (!end.aborted) throw error
}
const { cancelled } = await client.cancelAllOrders(name, { timeout_ms: 30_000 })
process.stdout.write(`${cancelled} orders taken back\n`)
