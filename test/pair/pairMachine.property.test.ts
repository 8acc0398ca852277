import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import type { AccountId, ActorName, Amount, Lots, MarketState, MessageId, Milliseconds, OrderId, Seconds, SelfTrade, Side, Ticks, TimeInForce } from '../../src/protocol/identity.ts'
import { Market } from '../../src/protocol/market.ts'
import type { PairCommand, PairMessage, Trade } from '../../src/protocol/pair.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import type { OrderTerms } from '../../src/protocol/terms.ts'
import { vaultOf } from '../../src/protocol/subjects.ts'
import type { PairReport } from '../../src/protocol/vault.ts'
import { resumed } from '../runtime/interrupted.ts'
import { Recorder } from './recorder.ts'
import { SlowPair } from './slowPair.ts'
import { account, BQ, marketOf, smallVenue } from './smallVenue.ts'

const venue = smallVenue(3)
const accounts = ['ANN', 'BEN', 'CAS', 'DAN', 'EVE'].map(account)
/** So few that every bound is reached. */
const market = new Market({ ...marketOf(venue, BQ).rules, maxOrders: 9, maxOrdersPerAccount: 5, maxConditionalOrders: 4, maxValue: 2 ** 33, fees: { maker_ppm: 1_000, taker_ppm: 250_000 } })
const START_S = 1_800_000_000

/** Close together so that orders meet; far apart and around the edges of bitmap words so that levels are found across gaps. */
const prices = [1, 2, 3, 4, 30, 31, 32, 33, 1_023, 1_024, 1_025, 2_147_483_646, 2_147_483_647]

interface Step {
  readonly wait_s: number
  readonly what: 'limit' | 'market' | 'spend' | 'cancel' | 'amend' | 'cancelAll' | 'timer' | 'operator' | 'control' | 'tick'
  readonly who: number
  readonly side: Side
  readonly price: number
  readonly lots: number
  readonly timeInForce: TimeInForce
  readonly lifetime_s: number
  readonly spend: bigint
  readonly selfTrade: SelfTrade
  readonly asks: number
  readonly minimum: number
  readonly state: MarketState
  readonly which: number
  /** Which key speaks: the account's own, or one of two delegated ones. */
  readonly key: number
  /** How a timer's deadline lies to now, and whether it takes back. */
  readonly timer_ms: number | null
  readonly takeBack: boolean
}

const weighed = <Item>(weights: readonly (readonly [number, Item])[]): fc.Arbitrary<Item> => fc.oneof(...weights.map(([weight, item]) => ({ weight, arbitrary: fc.constant(item) })))

const step: fc.Arbitrary<Step> = fc.record({
  wait_s: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(6) }),
  what: weighed([[18, 'limit'], [2, 'market'], [2, 'spend'], [4, 'cancel'], [6, 'amend'], [1, 'cancelAll'], [3, 'timer'], [1, 'operator'], [1, 'control'], [1, 'tick']] as const),
  who: fc.nat(accounts.length - 1),
  side: fc.constantFrom('buy', 'sell'),
  price: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...prices.slice(2, 7)) }, { weight: 1, arbitrary: fc.constantFrom(...prices) }),
  lots: fc.integer({ min: 1, max: 12 }),
  timeInForce: fc.constantFrom('GTC', 'GTC', 'GTC', 'GTC', 'GTD', 'IOC', 'FOK'),
  lifetime_s: fc.oneof({ weight: 1, arbitrary: fc.nat(12) }, { weight: 2, arbitrary: fc.constant(3_000) }),
  spend: fc.oneof(fc.bigInt({ min: 1n, max: 200n }), fc.bigInt({ min: 1n, max: 2n ** 53n - 1n })),
  selfTrade: fc.constantFrom('cancelNewest', 'cancelOldest', 'cancelBoth', 'decrement'),
  asks: fc.nat(7),
  minimum: fc.integer({ min: 1, max: 12 }),
  state: weighed([[6, 'open'], [1, 'cancelOnly'], [1, 'halted']] as const),
  which: fc.nat(),
  key: weighed([[3, 0], [1, 1], [1, 2]] as const),
  timer_ms: fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 6, arbitrary: fc.integer({ min: -1_000, max: 8_000 }) }),
  takeBack: weighed([[4, false], [1, true]] as const),
})

interface Input {
  readonly now_s: number
  readonly from?: ActorName
  readonly message?: PairMessage
  readonly command?: PairCommand
}

/** Half of the orders that rest ask for something; a few ask for what cannot be together, as no vault actor would let them. */
function termsOf({ asks, minimum, lots, selfTrade, timeInForce, what }: Step): OrderTerms {
  const least = Math.min(minimum, lots) as Lots
  const choices: Partial<OrderTerms>[] = [{}, {}, {}, { condition: 'aggregate', minimum: least }, { condition: 'perCounterparty', minimum: least, returnRemainder: true }, { postOnly: true }, { condition: 'allOrNone' }, { condition: 'aggregate', minimum: least, returnRemainder: true }]
  const plain = what === 'spend' || (timeInForce === 'FOK' && minimum > 1)
  return { ...plainTerms, selfTrade, ...(plain ? {} : choices[asks]) }
}

/** What vault actors and an operator would send, with their times. */
function inputsOf(steps: readonly Step[]): Input[] {
  let now_s = START_S
  const placed: { readonly order: OrderId; readonly number: number; readonly account: AccountId }[] = []
  const numbers = new Map<ActorName, number>()
  return steps.map((step, request) => {
    now_s += step.wait_s
    const reply = { gateway: 'g', request }
    const owner = accounts[step.who] ?? assert.fail()
    const from = vaultOf(owner, 3)
    const signer = step.key === 0 ? owner : account(`KEY${step.key}`)
    // Of the last ones, most of which are open still.
    const known = placed.at(-1 - (step.which % 12))
    switch (step.what) {
      case 'tick':
        return { now_s }
      case 'control': {
        const [lowTicks, highTicks] = step.which % 5 === 0 ? [Math.min(2, step.price), step.price] : [1, market.rules.maxTicks]
        return { now_s, command: { kind: 'control', state: step.state, lowTicks: lowTicks as Ticks, highTicks: highTicks as Ticks } }
      }
      case 'operator':
        return { now_s, command: step.which % 3 === 0 ? { kind: 'sweep' } : { kind: 'cancelAll', account: owner } }
      case 'cancelAll':
        return { now_s, from, message: { kind: 'cancelAll', sweep: `s${request}` as MessageId, account: owner } }
      case 'timer': {
        const deadline = step.timer_ms === null ? null : ((now_s * 1000 + 999 + step.timer_ms) as Milliseconds)
        return { now_s, from, message: { kind: 'timer', account: owner, signer, takeBack: step.takeBack, deadline, ask: step.which % 2 === 0 ? request : null } }
      }
      case 'cancel':
      case 'amend': {
        if (known === undefined) return { now_s }
        // Mostly its owner, now and then somebody else.
        const who = step.asks === 7 ? owner : known.account
        const { order, number } = known
        const asked = { order, number, account: who, reply }
        if (step.what === 'cancel') return { now_s, from: vaultOf(who, 3), message: { kind: 'cancel', ...asked } }
        return { now_s, from: vaultOf(who, 3), message: { kind: 'amend', amend: `a${request}` as MessageId, ...asked, ticks: step.price as Ticks, lots: step.lots as Lots } }
      }
      default: {
        const number = (numbers.get(from) ?? 0) + 1
        numbers.set(from, number)
        const order = String(request).padStart(64, '0') as OrderId
        placed.push({ order, number, account: owner })
        const spends = step.what === 'spend'
        const place: PairMessage = {
          kind: 'place', order, number, account: owner, signer: signer === owner ? null : signer, terms: termsOf(step), side: spends ? 'buy' : step.side, ticks: (spends ? 0 : step.price) as Ticks, lots: (spends ? 0 : step.lots) as Lots,
          spend: (spends ? step.spend : 0n) as Amount, timeInForce: step.what === 'limit' ? step.timeInForce : !spends && step.timeInForce === 'FOK' ? 'FOK' : 'IOC',
          mayRest: step.what === 'limit', expires: (now_s + step.lifetime_s) as Seconds, created: (now_s * 1000) as Milliseconds, reply,
        }
        return { now_s, from, message: place }
      }
    }
  })
}

function give(machine: PairMachine, { now_s, from, message, command }: Input, effects: Recorder): void {
  effects.time = (now_s * 1000 + 999) as Milliseconds
  machine.advance(effects)
  if (message !== undefined && from !== undefined) machine.message(from, message, effects)
  if (command !== undefined) machine.command(command, { gateway: 'operator', request: 0 }, effects)
}

const newMachine = (): PairMachine => {
  const machine = new PairMachine(market, venue)
  machine.local({ kind: 'fees', rates: market.rules.fees })
  return machine
}
const runs = fc.array(step, { minLength: 100, maxLength: 200, size: 'max' })
const seen = new Map<string, number>()
const count = (what: string): unknown => seen.set(what, (seen.get(what) ?? 0) + 1)

t.test('what it tells is what the plainly written market tells, word for word, and it holds the same orders', async (t) => {
  fc.assert(
    fc.property(runs, (steps) => {
      const machine = newMachine()
      const slow = new SlowPair(market, 3)
      const effects = new Recorder(START_S * 1000)
      for (const input of inputsOf(steps)) {
        give(machine, input, effects)
        slow.time = effects.time
        slow.advance()
        const { message, command } = input
        const answers = [message === undefined ? null : slow.message(message), command === undefined ? null : slow.command(command)].filter((answer) => answer !== null)
        const { sent, answers: given } = effects.take()
        assert.deepEqual(sent, slow.sent.splice(0))
        assert.deepEqual(given.map(({ answer }) => answer), answers)
        for (const { message: told } of sent) count('reason' in (told as object) ? `${(told as PairReport).kind} ${(told as { reason: string }).reason}` : (told as PairReport).kind)

        machine.book.check()
        for (const side of ['buy', 'sell'] as const) {
          const expected = slow.resting(side).map(({ id, open, filled, ticks, expires }) => [slow.orderOf(id).place.order, ticks, open, filled, expires])
          assert.deepEqual([...machine.resting(side)].map(({ order, open, expires }) => [order.id, order.ticks, open, order.filledLots, expires]), expected)
        }
        const expiries = slow.book.orders.map(({ expires }) => expires)
        const deadlines = [...expiries.map((expires) => expires * 1000), ...(slow.deadline === null ? [] : [slow.deadline])]
        assert.equal(machine.deadline(), deadlines.length === 0 ? null : Math.min(...deadlines))
      }
    }),
    { numRuns: 500 },
  )
  const told = [
    'rested', 'filled', 'trade', 'reduced', 'amended', 'swept', 'timed', 'closed filled', 'closed cancelled', 'closed dead_man', 'closed no_liquidity', 'closed fok_unfillable', 'closed minimum_unmet', 'closed self_trade',
    'closed remainder_returned', 'closed expired', 'closed market_halted', 'closed market_cancel_only', 'closed price_outside_band', 'closed post_only_would_trade', 'closed account_orders_exceeded',
    'closed market_full', 'closed conditional_orders_exceeded', 'closed terms_out_of_range', 'amendRefused order_not_open', 'amendRefused market_halted', 'amendRefused market_cancel_only',
    'amendRefused price_outside_band', 'amendRefused amend_too_late', 'amendRefused post_only_would_trade', 'amendRefused order_value_exceeded',
  ]
  for (const what of told) t.ok((seen.get(what) ?? 0) > 0, `the runs came across: ${what}`)
})

t.test('from the reports alone: every lot is accounted for, no fill is worse than its limit, nobody meets himself', async () => {
  fc.assert(
    fc.property(runs, (steps) => {
      const machine = newMachine()
      const effects = new Recorder(START_S * 1000)
      const orders = new Map<string, { owner: AccountId; side: Side; ticks: number; lots: number; spend: bigint; filled: number; quote: bigint; closed: boolean }>()
      for (const input of inputsOf(steps)) {
        const { message } = input
        if (message?.kind === 'place') {
          const { account: owner, side, ticks, lots, spend } = message
          orders.set(message.order, { owner, side, ticks, lots, spend, filled: 0, quote: 0n, closed: false })
        }
        give(machine, input, effects)
        for (const { message: told } of effects.take().sent) {
          const report = told as PairReport | Trade
          if (report.kind === 'trade') {
            const [buy, sell] = [orders.get(report.buyOrder) ?? assert.fail(), orders.get(report.sellOrder) ?? assert.fail()]
            assert.notEqual(buy.owner, sell.owner)
            assert.deepEqual([buy.side, sell.side, report.buyer, report.seller], ['buy', 'sell', buy.owner, sell.owner])
            continue
          }
          if (report.kind === 'swept' || report.kind === 'timed' || report.kind === 'amendRefused') continue
          const order = orders.get(report.order) ?? assert.fail()
          assert(!order.closed, 'nothing is told of an order that is closed')
          if (report.kind === 'reduced') order.lots -= report.lots
          if (report.kind === 'amended') Object.assign(order, { ticks: report.ticks, lots: report.lots })
          if (report.kind === 'closed') {
            order.closed = true
            if (report.reason === 'filled' && order.spend === 0n) assert.equal(order.filled, order.lots)
          }
          if (report.kind !== 'filled') continue
          if (order.spend === 0n) assert(order.side === 'buy' ? report.ticks <= order.ticks : report.ticks >= order.ticks)
          order.filled += report.lots
          order.quote += report.quote
          if (order.spend === 0n) assert(order.filled <= order.lots)
          else assert(order.quote <= order.spend)
        }
      }
      const resting = new Map([...machine.resting('buy'), ...machine.resting('sell')].map(({ order, open }) => [order.id as string, open]))
      for (const [id, { closed, lots, filled }] of orders) {
        assert.equal(resting.has(id), !closed, 'an order rests or is closed')
        if (!closed) assert.equal(filled + (resting.get(id) ?? 0), lots)
      }
    }),
    { numRuns: 150 },
  )
})

t.test('the same inputs at the same times have the same effects, however often they are replayed', async () => {
  fc.assert(
    fc.property(runs, (steps) => {
      const replay = (): unknown => {
        const machine = newMachine()
        const effects = new Recorder(START_S * 1000)
        for (const input of inputsOf(steps)) give(machine, input, effects)
        return [effects.take(), machine.snapshot()]
      }
      assert.deepEqual(replay(), replay())
    }),
    { numRuns: 50 },
  )
})

t.test('a machine taken up from a snapshot goes on as one that never stopped, and its state has one spelling', async () => {
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 30 }), (steps, every) => {
      const [effects, others] = [new Recorder(START_S * 1000), new Recorder(START_S * 1000)]
      let machine = newMachine()
      const other = newMachine()
      for (const [index, input] of inputsOf(steps).entries()) {
        give(machine, input, effects)
        give(other, input, others)
        assert.deepEqual(effects.take(), others.take())
        if (index % every !== 0) continue
        machine = resumed(machine, newMachine)
        machine.book.check()
        assert.deepEqual(machine.snapshot(), other.snapshot(), 'whatever came before')
      }
      assert.deepEqual(machine.snapshot(), other.snapshot())
      assert.deepEqual(machine.query({ kind: 'market' }), other.query({ kind: 'market' }))
    }),
    { numRuns: 150 },
  )
})
