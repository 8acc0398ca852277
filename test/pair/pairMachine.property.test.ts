import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import type { Amount, Lots, Milliseconds, OrderId, Seconds, Side, Ticks, TimeInForce } from '../../src/protocol/identity.ts'
import type { PairMessage, PairOutcome, Trade } from '../../src/protocol/pair.ts'
import { vaultActor } from '../../src/protocol/subjects.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import type { PairReport } from '../../src/protocol/vault.ts'
import { Recorder } from './recorder.ts'
import { SlowMarket } from './slowMarket.ts'
import { account, BQ, marketOf, smallVenue } from './smallVenue.ts'

const venue = smallVenue()
const market = marketOf(venue, BQ)
const vault = vaultActor(0)
const START_S = 1_800_000_000
const MAX_ORDERS = 24

/** Close together so that orders meet; far apart and around the edges of bitmap words so that levels are found across gaps. */
const prices = [1, 2, 3, 4, 30, 31, 32, 33, 1_023, 1_024, 1_025, 2_147_483_646, 2_147_483_647]

interface Step {
  readonly wait_s: number
  readonly what: 'limit' | 'market' | 'spend' | 'cancel' | 'tick'
  readonly who: number
  readonly side: Side
  readonly price: number
  readonly lots: number
  readonly timeInForce: TimeInForce
  readonly lifetime_s: number
  readonly spend: bigint
  readonly which: number
}

const step: fc.Arbitrary<Step> = fc.record({
  wait_s: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(6) }),
  what: fc.oneof(
    { weight: 8, arbitrary: fc.constant('limit' as const) },
    { weight: 1, arbitrary: fc.constant('market' as const) },
    { weight: 1, arbitrary: fc.constant('spend' as const) },
    { weight: 3, arbitrary: fc.constant('cancel' as const) },
    { weight: 1, arbitrary: fc.constant('tick' as const) },
  ),
  who: fc.nat(3),
  side: fc.constantFrom('buy', 'sell'),
  price: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...prices.slice(2, 7)) }, { weight: 1, arbitrary: fc.constantFrom(...prices) }),
  lots: fc.integer({ min: 1, max: 12 }),
  timeInForce: fc.constantFrom('GTC', 'GTC', 'GTD', 'IOC', 'FOK'),
  lifetime_s: fc.oneof({ weight: 1, arbitrary: fc.nat(12) }, { weight: 2, arbitrary: fc.constant(3_000) }),
  spend: fc.oneof(fc.bigInt({ min: 1n, max: 200n }), fc.bigInt({ min: 1n, max: 2n ** 53n - 1n })),
  which: fc.nat(),
})

/** The messages a vault actor would send, with their times; ids count up. */
function messagesOf(steps: readonly Step[]): { readonly now_s: number; readonly message: PairMessage | null }[] {
  let now_s = START_S
  let orders = 0
  const owners: number[] = []
  return steps.map((step, request) => {
    now_s += step.wait_s
    const reply = { gateway: 'g', request }
    if (step.what === 'tick') return { now_s, message: null }
    if (step.what === 'cancel') {
      const order = `o${owners.length === 0 ? 0 : step.which % owners.length}` as OrderId
      // Mostly its owner, now and then somebody else.
      const who = step.who === 3 ? step.which % 4 : (owners[Number(order.slice(1))] ?? 0)
      return { now_s, message: { kind: 'cancel', order, number: Number(order.slice(1)) + 1, account: account(`${who}`), reply } }
    }
    owners.push(step.who)
    const spends = step.what === 'spend'
    return {
      now_s,
      message: {
        kind: 'place',
        order: `o${orders++}` as OrderId,
        number: orders,
        terms: plainTerms,
        account: account(`${step.who}`),
        side: spends ? 'buy' : step.side,
        ticks: (spends ? 0 : step.price) as Ticks,
        lots: (spends ? 0 : step.lots) as Lots,
        spend: (spends ? step.spend : 0n) as Amount,
        timeInForce: step.what === 'limit' ? step.timeInForce : !spends && step.timeInForce === 'FOK' ? 'FOK' : 'IOC',
        mayRest: step.what === 'limit',
        expires: (now_s + step.lifetime_s) as Seconds,
        created: (now_s * 1000) as Milliseconds,
        reply,
      },
    }
  })
}

/** What the machine caused, in the words of the slow market. */
function linesOf(effects: Recorder): string[] {
  const { sent, answers } = effects.take()
  const lines = sent.map(({ message }) => {
    const report = message as PairReport | Trade
    switch (report.kind) {
      case 'rested':
        return `rested ${report.order}`
      case 'filled':
        return `filled ${report.order} ${report.role} ${report.trade.split(':')[1]} ${report.ticks} ${report.lots}`
      case 'closed':
        return `closed ${report.order} ${report.reason}`
      case 'trade':
        return `trade ${report.id.split(':')[1]} ${report.buyOrder} ${report.sellOrder} ${report.ticks} ${report.lots}`
      default:
        return `unexpected ${report.kind}`
    }
  })
  for (const { answer } of answers) {
    if ('refused' in answer) lines.push(`answer ${answer.refused}`)
    else {
      const { order, status, filledLots, filledQuote } = answer.ok as PairOutcome
      lines.push(`answer ${order} ${status} ${filledLots} ${filledQuote}`)
    }
  }
  return lines
}

function run(steps: readonly Step[], after: (machine: PairMachine, message: PairMessage | null, slow: SlowMarket, now_s: number) => void): string[] {
  const machine = new PairMachine(market, venue, MAX_ORDERS)
  const slow = new SlowMarket(market.rules.tickSize, market.rules.maxLots, MAX_ORDERS)
  const effects = new Recorder(START_S * 1000)
  const all: string[] = []
  for (const { now_s, message } of messagesOf(steps)) {
    effects.time = (now_s * 1000 + 999) as Recorder['time']
    machine.advance(effects)
    slow.tick(now_s)
    if (message !== null) machine.message(vault, message, effects)
    if (message?.kind === 'place') slow.place(message, now_s)
    if (message?.kind === 'cancel') slow.cancel(message)
    const lines = linesOf(effects)
    assert.deepEqual(lines, slow.lines.splice(0))
    all.push(...lines)
    after(machine, message, slow, now_s)
  }
  return all
}

const runs = fc.array(step, { minLength: 1, maxLength: 120, size: 'max' })

t.test('the book does what the plainly written market does, event by event, and holds the same orders', async () => {
  fc.assert(
    fc.property(runs, (steps) => {
      run(steps, (machine, _message, slow, now_s) => {
        machine.book.check()
        const bids = [...machine.resting('buy')]
        const asks = [...machine.resting('sell')]
        for (const [side, orders] of [['buy', bids], ['sell', asks]] as const) {
          const sign = side === 'buy' ? -1 : 1
          const expected = slow.waiting.filter((order) => order.place.side === side).sort((a, b) => sign * (a.place.ticks - b.place.ticks))
          assert.deepEqual(orders.map(({ order, open }) => [order.id, open]), expected.map((order) => [order.place.order, order.left]))
        }
        assert.equal(machine.book.size, bids.length + asks.length)
        assert(machine.book.size <= MAX_ORDERS)
        const [bid, ask] = [bids[0], asks[0]]
        assert(bid === undefined || ask === undefined || bid.order.ticks < ask.order.ticks, 'no crossed book')
        const expiries = [...bids, ...asks].map(({ expires }) => expires)
        assert.equal(machine.book.nextExpiry, expiries.length === 0 ? 0 : Math.min(...expiries))
        assert(expiries.every((expires) => expires > now_s), 'nothing rests beyond its time')
        assert.equal(machine.deadline(), machine.book.nextExpiry === 0 ? null : machine.book.nextExpiry * 1000)
      })
    }),
    { numRuns: 400 },
  )
})

t.test('from the events alone: every lot is accounted for, no fill is worse than its limit, nobody meets himself', async () => {
  fc.assert(
    fc.property(runs, (steps) => {
      const placed = new Map<string, Extract<PairMessage, { kind: 'place' }>>()
      const filled = new Map<string, number>()
      const spent = new Map<string, bigint>()
      const closed = new Map<string, string>()
      const resting = new Map<string, number>()
      const lines = run(steps, (machine, message) => {
        if (message?.kind === 'place') placed.set(message.order, message)
        resting.clear()
        for (const side of ['buy', 'sell'] as const) for (const { order, open } of machine.resting(side)) resting.set(order.id, open)
      })
      for (const line of lines) {
        const [kind, ...words] = line.split(' ')
        if (kind === 'closed') {
          assert(!closed.has(words[0] ?? ''), 'an order is closed once')
          closed.set(words[0] ?? '', words[1] ?? '')
        }
        if (kind !== 'trade') continue
        const [, buyId = '', sellId = '', ticks, lots] = words
        const [buy, sell] = [placed.get(buyId), placed.get(sellId)]
        assert(buy !== undefined && sell !== undefined && buy.account !== sell.account)
        assert(buy.ticks === 0 || Number(ticks) <= buy.ticks)
        assert(Number(ticks) >= sell.ticks)
        for (const id of [buyId, sellId]) filled.set(id, (filled.get(id) ?? 0) + Number(lots))
        spent.set(buyId, (spent.get(buyId) ?? 0n) + market.quoteAmount(Number(ticks) as Ticks, Number(lots) as Lots))
      }
      for (const [id, place] of placed) {
        const [traded, reason, left] = [filled.get(id) ?? 0, closed.get(id), resting.get(id)]
        assert((reason === undefined) === (left !== undefined), 'an order rests or is closed')
        if (place.spend > 0n) assert((spent.get(id) ?? 0n) <= place.spend && traded <= market.rules.maxLots)
        else {
          assert(traded <= place.lots && (reason === 'filled') === (traded === place.lots))
          if (left !== undefined) assert.equal(traded + left, place.lots)
          if (place.timeInForce === 'FOK') assert(traded === 0 || traded === place.lots)
        }
        if (reason === 'market_full' || reason === 'fok_unfillable') assert.equal(traded, 0)
      }
    }),
    { numRuns: 200 },
  )
})

t.test('the same messages at the same times have the same effects, however often they are replayed', async () => {
  fc.assert(
    fc.property(runs, (steps) => {
      const replay = (): unknown => {
        const machine = new PairMachine(market, venue, MAX_ORDERS)
        const effects = new Recorder(START_S * 1000)
        for (const { now_s, message } of messagesOf(steps)) {
          effects.time = (now_s * 1000) as Recorder['time']
          machine.advance(effects)
          if (message !== null) machine.message(vault, message, effects)
        }
        const book = (['buy', 'sell'] as const).map((side) => [...machine.resting(side)].map(({ order: { id, filledQuote }, open }) => ({ id, open, filledQuote })))
        return { effects: effects.take(), book, trades: machine.trades, deadline: machine.deadline() }
      }
      assert.deepEqual(replay(), replay())
    }),
    { numRuns: 50 },
  )
})

t.test('a machine taken up from a snapshot goes on as one that never stopped, and its state has one spelling', async () => {
  fc.assert(
    fc.property(runs, fc.nat(), (steps, cut) => {
      const messages = messagesOf(steps)
      const at = cut % messages.length
      const effects = new Recorder(START_S * 1000)
      let machine = new PairMachine(market, venue, MAX_ORDERS)
      const other = new PairMachine(market, venue, MAX_ORDERS)
      const others = new Recorder(START_S * 1000)
      for (const [index, { now_s, message }] of messages.entries()) {
        if (index === at) {
          const bytes = machine.snapshot()
          machine = new PairMachine(market, venue, MAX_ORDERS)
          machine.restore(bytes)
          machine.book.check()
          assert.deepEqual(machine.snapshot(), bytes)
        }
        for (const [one, told] of [[machine, effects], [other, others]] as const) {
          told.time = (now_s * 1000) as Recorder['time']
          one.advance(told)
          if (message !== null) one.message(vault, message, told)
        }
        assert.deepEqual(effects.take(), others.take())
      }
      assert.deepEqual(machine.snapshot(), other.snapshot())
    }),
    { numRuns: 150 },
  )
})
