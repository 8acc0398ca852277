import fc from 'fast-check'
import t from 'tap'
import type { Milliseconds } from '../../src/protocol/identity.ts'
import type { Trade } from '../../src/protocol/pair.ts'
import { net } from '../../src/settlement/netting.ts'
import { pagesOf, tradePlace } from '../../src/settlement/tradePlace.ts'
import { TradeQueue } from '../../src/settlement/tradeQueue.ts'
import type { BatchBounds, PlaceOf, QueuedTrade } from '../../src/settlement/tradeQueue.ts'
import { accountOf, assetsOf, markets, trade } from './trades.ts'

// Which trades a batch takes: by the pages of balances that they share, and never one that the chain would not take yet.

/** Accounts lie in eight pages, and the six assets in two groups: sixteen pages. */
const ACCOUNTS = 256
const indexes = new Map(Array.from({ length: ACCOUNTS }, (_, n) => [accountOf(n), n]))
const placeOf: PlaceOf = ({ buyer, seller, market }) => {
  const [bought, sold] = [indexes.get(buyer), indexes.get(seller)]
  const { base, quote } = assetsOf(market)
  return bought === undefined || sold === undefined ? undefined : tradePlace(bought, sold, base, quote)
}
const pages = (taken: readonly QueuedTrade[]): Set<number> => new Set(taken.flatMap(({ trade }) => pagesOf(placeOf(trade)!)))
const ids = (trades: readonly QueuedTrade[]): string[] => trades.map(({ trade }) => trade.id)
const wide: BatchBounds = { maxTrades: 1_000, maxAccounts: 1_000, maxPages: 60 }

function queueOf(trades: readonly Trade[]): TradeQueue {
  const queue = new TradeQueue()
  for (const made of trades) queue.push({ trade: made, arrived: 0 as Milliseconds })
  return queue
}

const anyTrades = fc
  .array(
    fc.record({
      market: fc.constantFrom(...markets.keys()),
      // Some of few accounts, whose trades depend on each other, some of many.
      buyer: fc.oneof(fc.constantFrom(0, 40, 80, 120), fc.nat(ACCOUNTS - 1)),
      seller: fc.oneof(fc.constantFrom(0, 40, 80, 120), fc.nat(ACCOUNTS - 1)),
      base: fc.bigInt(1n, 100n),
      quote: fc.bigInt(1n, 100n),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((list) => list.map((fields, n) => trade(n + 1, fields)))
const anyBounds = fc.record({ maxTrades: fc.integer({ min: 1, max: 60 }), maxAccounts: fc.integer({ min: 2, max: 60 }), maxPages: fc.integer({ min: 4, max: 12 }) })

/** Balances by account and asset. */
class Books {
  readonly #balances = new Map<string, bigint>()

  /** @returns the lowest balance that the trades, netted, leave by account and asset */
  apply(trades: readonly Trade[]): Map<string, bigint> {
    const left = new Map<string, bigint>()
    for (const { account, moves } of net(trades, assetsOf)) {
      for (const move of moves) {
        const key = `${account} ${move.asset.index}`
        const balance = (this.#balances.get(key) ?? 0n) + move.in - move.out
        this.#balances.set(key, balance)
        left.set(key, balance)
      }
    }
    return left
  }

  give(key: string, amount: bigint): void {
    this.#balances.set(key, (this.#balances.get(key) ?? 0n) + amount)
  }
}

/** What accounts must have at first for the trades to go through one after the other, and no more. */
function needed(trades: readonly Trade[]): Map<string, bigint> {
  const books = new Books()
  const lowest = new Map<string, bigint>()
  for (const made of trades) for (const [key, balance] of books.apply([made])) if (balance < (lowest.get(key) ?? 0n)) lowest.set(key, balance)
  return lowest
}

t.test('whatever is passed over, no batch spends what is not there yet, and every trade is taken once', async (t) => {
  let passedOver = 0
  fc.assert(
    fc.property(anyTrades, anyBounds, (trades, bounds) => {
      const queue = queueOf(trades)
      const books = new Books()
      for (const [key, lowest] of needed(trades)) books.give(key, -lowest)
      const settled: string[] = []
      while (queue.size > 0) {
        const waiting = ids(queue.waiting)
        const run = queueOf(queue.waiting.map((queued) => queued.trade)).take(bounds, placeOf)
        const taken = queue.takeSharing(bounds, placeOf)
        const names = ids(taken)
        if (names[0] !== waiting[0]) throw new Error('the oldest trade waits on')
        if (taken.length < run.length) throw new Error('fewer than come one after the other')
        if (names.some((id, n) => n > 0 && waiting.indexOf(id) <= waiting.indexOf(names[n - 1]!))) throw new Error('not in their order')
        if (String(ids(queue.waiting)) !== String(waiting.filter((id) => !names.includes(id)))) throw new Error('what waits on is not what was left, in its order')
        const accounts = new Set(taken.flatMap(({ trade: { buyer, seller } }) => [buyer, seller]))
        if (taken.length > bounds.maxTrades || accounts.size > bounds.maxAccounts || pages(taken).size > bounds.maxPages) throw new Error('beyond a bound')
        for (const [key, balance] of books.apply(taken.map((queued) => queued.trade))) if (balance < 0n) throw new Error(`${key} is at ${balance}`)
        if (String(names) !== String(waiting.slice(0, names.length))) passedOver++
        settled.push(...names)
      }
      if (queue.accounts !== 0 || String(settled.toSorted()) !== String(trades.map(({ id }) => id).toSorted())) throw new Error('not each once')
    }),
    { numRuns: 300 },
  )
  t.ok(passedOver > 50, `${passedOver} batches passed trades over`)
})

t.test('where all pages fit, the trades are taken as they come', async (t) => {
  fc.assert(
    fc.property(anyTrades, fc.integer({ min: 1, max: 60 }), (trades, maxTrades) => {
      const bounds = { ...wide, maxTrades }
      return String(ids(queueOf(trades).takeSharing(bounds, placeOf))) === String(trades.slice(0, maxTrades).map(({ id }) => id))
    }),
  )
  t.pass()
})

t.test('scattered trades share pages: far fewer batches than one after the other', async (t) => {
  let seed = 1
  const below = (most: number): number => (seed = (seed * 48_271) % 2_147_483_647) % most
  const trades = Array.from({ length: 1_500 }, (_, n) => trade(n + 1, { market: 'A0-A1', buyer: below(ACCOUNTS), seller: below(ACCOUNTS), base: 1n, quote: 1n }))
  const batches = (take: (queue: TradeQueue) => readonly QueuedTrade[]): number => {
    const queue = queueOf(trades)
    let count = 0
    for (; queue.size > 0; count++) take(queue)
    return count
  }
  const bounds = { ...wide, maxPages: 4 }
  const [run, sharing] = [batches((queue) => queue.take(bounds, placeOf)), batches((queue) => queue.takeSharing(bounds, placeOf))]
  t.ok(sharing * 3 < run, `${sharing} and ${run}`)
})

t.test('an account without an index ends what is looked through', async (t) => {
  const trades = [trade(1, { buyer: 0, seller: 40, base: 1n, quote: 1n }), trade(2, { buyer: ACCOUNTS, seller: 40, base: 1n, quote: 1n }), trade(3, { buyer: 0, seller: 40, base: 1n, quote: 1n })]
  for (const maxPages of [2, 60]) t.same(ids(queueOf(trades).takeSharing({ ...wide, maxPages }, placeOf)), ['A0-A1:1'])
})

t.test('a batch that came back stands before all others', async (t) => {
  const trades = [1, 2, 3, 4].map((n) => trade(n, { buyer: n % 2 === 0 ? 0 : 40, seller: n % 2 === 0 ? 80 : 120, base: 1n, quote: 1n }))
  const queue = queueOf(trades)
  const taken = queue.takeSharing({ ...wide, maxPages: 2 }, placeOf)
  t.same(ids(taken), ['A0-A1:1', 'A0-A1:3'])
  t.same(ids(queue.waiting), ['A0-A1:2', 'A0-A1:4'])
  queue.restore(taken)
  t.same(ids(queue.waiting), ['A0-A1:1', 'A0-A1:3', 'A0-A1:2', 'A0-A1:4'])
  t.equal(queue.accounts, 4)
})
