// Buys a quantity in equal slices over a time (TWAP), each at a worst price. What one slice does not get is left to the next ones.
//   node examples/twapBuyer.ts --market XLM-USDC --quantity 100 --price 0.11 --minutes 10 --slices 20
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from './connect.ts'
import { floor, format, parse } from './decimals.ts'

const { client, given, end } = await connect({ market: 'XLM-USDC', quantity: '100', price: '0.11', minutes: '10', slices: '20' })
const { market: name, price } = given as { market: string; price: string }
const market = client.market(name)
const [lot, least, total] = [parse(market.lotSize), parse(market.minQuantity), parse(given.quantity!)]
const slices = Number(given.slices)
const pause_ms = (Number(given.minutes) * 60_000) / slices

let bought = 0n
let paid = 0n
for (let slice = 1; slice <= slices && bought < total && !end.aborted; slice++) {
  // What should have been bought by now, less what has been: a slice that found nobody makes the next one larger.
  const quantity = floor((total * BigInt(slice)) / BigInt(slices) - bought, lot)
  if (quantity >= least) {
    let order = await client.placeOrder(name, { side: 'buy', type: 'limit', price, quantity: format(quantity), timeInForce: 'IOC' }, { signal: end })
    while (order.status === 'pending') order = await client.order(order.id, { signal: end })
    bought += parse(order.filledQuantity)
    paid += parse(order.filledQuote)
    process.stdout.write(`slice ${slice} of ${slices}: ${order.filledQuantity} of ${order.quantity}, ${format(bought)} in all\n`)
  }
  if (slice < slices && bought < total) await delay(pause_ms, undefined, { signal: end }).catch(() => undefined)
}
process.stdout.write(`bought ${format(bought)} for ${format(paid)}\n`)
