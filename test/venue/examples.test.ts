import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { VenueUnderTest } from './venueUnderTest.ts'

// The examples as somebody runs them, against a whole venue.

const XLM = 'XLM-USDC'

t.setTimeout(300_000)
const under = await VenueUnderTest.start(2)
const { venue } = under
const books = await under.books('maker', 'buyer')
t.teardown(async () => {
  await books.close()
  await under.stop()
})

interface Program {
  readonly said: () => string
  /** Asks it to end, if `signal` is given, and waits until it has. */
  readonly end: (signal?: NodeJS.Signals) => Promise<number>
}

function example(name: string, role: string, ...words: string[]): Program {
  const key = venue.keyPath(books.trader(role).name)
  const child = spawn(process.execPath, [`examples/${name}.ts`, '--url', venue.gatewayUrl, '--key', key, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const closed = once(child, 'close')
  return {
    said: () => text,
    end: async (signal) => {
      if (signal !== undefined) child.kill(signal)
      const [code] = (await closed) as [number]
      return code
    },
  }
}

t.test('a market maker quotes, quotes again what was taken, and leaves nothing behind', async (t) => {
  const maker = example('marketMaker', 'maker', '--middle', '0.5', '--spread', '0.02', '--levels', '2', '--quantity', '30')
  const quotes = async (): Promise<string[]> => {
    const { bids, asks } = await books.client('maker').orderbook(XLM)
    return [...bids, ...asks].map(({ side, price }) => `${side} ${price}`)
  }
  const all = ['buy 0.49', 'buy 0.48', 'sell 0.51', 'sell 0.52']
  const quoting = async (): Promise<void> => {
    for (const end = Date.now() + 30_000; Date.now() < end && (await quotes()).length < all.length; ) await delay(100)
  }
  await quoting()
  t.same(await quotes(), all, maker.said())

  const buyer = example('twapBuyer', 'buyer', '--quantity', '30', '--price', '0.51', '--minutes', '0.1', '--slices', '3')
  t.equal(await buyer.end(), 0, buyer.said())
  t.match(buyer.said(), /bought 30 for 15.3\n$/)
  books.traded('buyer', 'maker', XLM, '30', '0.51')

  const portfolio = example('portfolio', 'buyer')
  t.equal(await portfolio.end(), 0)
  t.match(portfolio.said(), new RegExp(`^${books.trader('buyer').account}`))
  t.match(portfolio.said(), / XLM .* 1030\n/)

  await quoting()
  t.same(await quotes(), all, 'what was taken is quoted again')
  t.equal(await maker.end('SIGINT'), 0, maker.said())
  t.match(maker.said(), /4 orders taken back\n$/)
  await books.check(t)
})
