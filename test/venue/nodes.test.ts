import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import type { OrderView } from '../../src/protocol/feed.ts'
import { persist, refusal, VenueUnderTest } from './venueUnderTest.ts'

// A venue of two shards and two gateways: markets move while orders come in, and a shard dies.

const XLM = 'XLM-USDC'
const EURC = 'EURC-USDC'
const PRICE = '0.5'
/** Small, so that nobody runs out of anything on a fast machine. */
const LOT = '0.1'
const patience = { timeout_ms: 120_000 }

t.setTimeout(900_000)
const under = await VenueUnderTest.start(2)
const { venue } = under
const books = await under.books('alice', 'bob')
const started: ChildProcess[] = []
t.teardown(async () => {
  for (const child of started) child.kill('SIGKILL')
  await books.close()
  await under.stop()
})

async function start(file: string, ...options: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(file, ['--venue', venue.venuePath, '--keys', venue.keysPath, ...options], { silent: true })
  child.stdout!.resume()
  child.stderr!.resume()
  started.push(child)
  const [message] = (await once(child, 'message')) as [{ readonly url?: string }]
  return { child, url: message.url ?? '' }
}

const shard = await start('src/actors/shard.ts', '--node', 'b')
const other = await start('src/gateway/main.ts', '--port', '0')
const alice = books.client('alice')
const bob = await Client.open(other.url, new SecretSigner(books.trader('bob').key.secret()))

/**
 * The order as its market left it, as a program gets it that uses the client as it is: that asks again by itself where nobody answered in time, as on a busy machine
 * that has an actor between owners for long. Whatever else the venue says, the test fails.
 */
async function place(client: Client, side: 'buy' | 'sell'): Promise<OrderView> {
  let order = await client.placeOrder(XLM, { side, type: 'limit', price: PRICE, quantity: LOT, timeInForce: 'GTC' }, patience)
  for (; order.status === 'pending'; order = await client.order(order.id, patience)) await delay(50)
  return order
}

/** One crosses the other, each through a gateway of its own. */
async function trade(): Promise<void> {
  await place(alice, 'sell')
  const bought = await place(bob, 'buy')
  if (bought.status !== 'filled') throw new Error(`an order that crosses is ${bought.status}`)
  books.traded('bob', 'alice', XLM, LOT, PRICE)
}

t.test('what is not there is said clearly', async (t) => {
  await t.rejects(under.darkpool('pair', 'move', 'BTC-USDC', 'b'), { code: 2, stderr: /there is no market BTC-USDC; there is XLM-USDC, EURC-USDC/ })
  await t.rejects(under.darkpool('pair', 'move', XLM, 'z'), { code: 1, stderr: /no node z is there that may run pair.XLM-USDC; there is a, b/ })
  await t.rejects(under.darkpool('pair', 'move', XLM), { code: 2, stderr: /move MARKET NODE/ })
})

t.test('a market moves to and fro under load: no order is refused, lost or doubled', async (t) => {
  let moving = true
  let trades = 0
  const load = (async () => {
    for (; moving; trades++) await trade()
  })()
  const moves = (async () => {
    for (const node of ['b', 'a', 'b']) {
      await under.darkpool('pair', 'move', XLM, node)
      const { actors } = (await under.darkpool('status')) as { actors: readonly { readonly actor: string }[] }
      t.match(actors.find(({ actor }) => actor === `pair.${XLM}`), { owner: node, pin: node, state: 'running' })
    }
  })()
  await Promise.race([moves, load])
  moving = false
  await Promise.all([moves, load])
  t.ok(trades > 0)
  await books.check(t)
})

t.test('funds are reserved once, whichever gateway is asked', async (t) => {
  const own = await Client.open(other.url, new SecretSigner(books.trader('alice').key.secret()))
  const order = { side: 'sell', type: 'limit', price: '1.9', quantity: '600', timeInForce: 'GTC' } as const
  await alice.placeOrder(EURC, order)
  t.equal(await refusal(own.placeOrder(EURC, order)), 'funds_insufficient')
  t.equal((await own.orders({ status: 'open' })).length, 1)
  await books.cancelAll()
})

t.test('the shard that matches is killed, and the other goes on with its book', async (t) => {
  await books.limit('alice', XLM, 'sell', '30', PRICE)
  shard.child.kill('SIGKILL')
  const order = await bob.signOrder(XLM, { side: 'buy', type: 'limit', price: PRICE, quantity: '20', timeInForce: 'GTC' })
  const bought = await persist(() => bob.sendOrder(order))
  books.traded('bob', 'alice', XLM, '20', PRICE)
  books.reserves('alice', 'XLM', '10')
  t.equal((await persist(() => bob.order(bought.id))).id, bought.id)
  await books.check(t)
  t.match(await persist(() => bob.order(bought.id)), { status: 'filled', filledQuantity: '20' })
  await persist(() => books.cancelAll())
  await books.check(t)
})
