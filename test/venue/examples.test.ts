import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { pythonTool } from '../../scripts/setup/pythonTools.ts'
import type { FeedMessage } from '../../src/protocol/feed.ts'
import { until } from '../settlement/waiting.ts'
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
  return program(process.execPath, [`examples/${name}.ts`, '--url', venue.gatewayUrl, '--key', key, ...words])
}

function program(command: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child = spawn(command, words, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
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

t.test('a fill logger writes each fill once, whatever ends it and however often it begins again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'darkpool-fills-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'fills.jsonl')
  const written = (): { trade: string; quantity: string }[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as { trade: string; quantity: string }) : [])
  const trade = async (quantity: string): Promise<void> => {
    await books.limit('maker', XLM, 'sell', quantity, '0.6')
    await books.limit('buyer', XLM, 'buy', quantity, '0.6')
    books.traded('buyer', 'maker', XLM, quantity, '0.6')
  }
  const before = books.feed('buyer').messages.filter(({ type }) => type === 'fill').length

  const first = example('fillLogger', 'buyer', '--file', file)
  await until('it has written what was there', () => written().length === before)
  await trade('5')
  await until('it has written what came', () => written().length === before + 1)
  await first.end('SIGKILL')

  // What a crash in the middle of a line leaves.
  appendFileSync(file, '{"v":1,"seq":')
  await trade('6')
  const second = example('fillLogger', 'buyer', '--file', file)
  await until('it has written what it missed', () => written().length === before + 2)
  await under.venue.nats.kill()
  await under.venue.nats.start()
  await trade('7')
  await until('it has written what came then', () => written().length === before + 3)
  t.equal(await second.end('SIGINT'), 0, second.said())
  t.match(second.said(), /^logging the fills of G[A-Z2-7]{55} behind number [1-9]/)

  t.same(written().slice(before).map(({ quantity }) => quantity), ['5', '6', '7'])
  t.same(written().map(({ trade }) => trade), books.feed('buyer').messages.flatMap((message) => (message.type === 'fill' ? [message.trade] : [])), 'the feed’s own, in its order')
  await books.check(t)
})

t.test('the stock Python client of NATS, with a Stellar key and nothing of ours: places an order, receives its fills, and reads all again from the beginning', async (t) => {
  const subscriber = (...words: string[]): Program => program(pythonTool('python'), ['examples/subscriber.py', venue.gatewayUrl, ...words], { SECRET: books.trader('buyer').key.secret() })
  type Line = { readonly order?: { readonly status: number; readonly body: { readonly status: string } }; readonly message?: FeedMessage }
  // Between them the library tells of connections that were lost.
  const lines = ({ said }: Program): Line[] => said().split('\n').slice(0, -1).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line)
  const fed = (): FeedMessage[] => books.feed('buyer').messages
  const messages = (of: Program): (FeedMessage | undefined)[] => lines(of).slice(1).map(({ message }) => message)

  await books.limit('maker', XLM, 'sell', '8', '0.7')
  const first = subscriber('buy', XLM, '20', '0.7')
  await until('its order was answered', () => lines(first).length > 0)
  t.match(lines(first)[0], { order: { status: 201, body: { status: 'open', filledQuantity: '8', market: XLM } } })
  books.traded('buyer', 'maker', XLM, '8', '0.7')
  await until('it has read what was there', () => messages(first).length >= fed().length)

  await books.limit('maker', XLM, 'sell', '12', '0.7')
  books.traded('buyer', 'maker', XLM, '12', '0.7')
  await until('it heard of the fill as it happened', () => messages(first).filter((message) => message?.type === 'fill' && message.price === '0.7').length === 2)
  await under.venue.nats.kill()
  await under.venue.nats.start()
  await books.limit('maker', XLM, 'sell', '3', '0.8')
  await books.limit('buyer', XLM, 'buy', '3', '0.8')
  books.traded('buyer', 'maker', XLM, '3', '0.8')
  await books.check(t)
  await until('and of what came after its server was away', () => messages(first).length >= fed().length)
  t.same(messages(first), fed(), 'every message once and in order')
  await first.end('SIGKILL')

  const second = subscriber()
  await until('another one has read it all', () => lines(second).length >= fed().length)
  t.same(lines(second).map(({ message }) => message), fed())
  await second.end('SIGKILL')
})
