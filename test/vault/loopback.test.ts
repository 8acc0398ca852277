import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Amount, Lots, MarketName, MessageId, OrderId, Seconds, Side, Ticks, TimeInForce } from '../../src/protocol/identity.ts'
import type { Market } from '../../src/protocol/market.ts'
import type { BalanceState, OrderState, PlaceOrder, TimerState } from '../../src/protocol/vault.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import type { OrderTerms } from '../../src/protocol/terms.ts'
import { account, AQ, assetA, assetB, assetQ, BQ, smallVenue } from '../pair/smallVenue.ts'
import { Loopback } from './loopback.ts'

const venue = smallVenue(3)
const START = 1_800_000_000_000
const accounts = ['ANN', 'BEN', 'CAS', 'DAN', 'EVE'].map(account)
const assets = [assetA, assetB, assetQ]
const DEPOSIT = 5_000n

const step = fc.record({
  what: fc.constantFrom('order', 'order', 'order', 'order', 'spend', 'cancel', 'amend', 'amend', 'cancelAll', 'deadMan', 'presence', 'presence', 'control', 'open', 'open', 'operator', 'again', 'deliver', 'deliver', 'deliver', 'time'),
  who: fc.nat(accounts.length - 1),
  market: fc.constantFrom(AQ, BQ),
  side: fc.constantFrom<Side>('buy', 'sell'),
  ticks: fc.integer({ min: 20, max: 30 }),
  lots: fc.integer({ min: 1, max: 20 }),
  timeInForce: fc.constantFrom<TimeInForce>('GTC', 'GTC', 'GTC', 'GTD', 'IOC', 'FOK'),
  lifetime_s: fc.integer({ min: 1, max: 60 }),
  which: fc.nat(),
})
/** Half of the orders that rest ask for something; what they ask for can be together. */
function termsOf({ which, timeInForce, lots, what }: Step): OrderTerms {
  const selfTrade = (['cancelNewest', 'cancelOldest', 'cancelBoth', 'decrement'] as const)[which % 4] ?? assert.fail()
  if (what === 'spend' || timeInForce === 'IOC' || timeInForce === 'FOK') return { ...plainTerms, selfTrade }
  const minimum = (1 + ((which >>> 5) % lots)) as Lots
  const returnRemainder = (which >>> 4) % 2 === 1
  const choices: Partial<OrderTerms>[] = [{}, {}, {}, { postOnly: true }, { condition: 'allOrNone' }, { condition: 'aggregate', minimum, returnRemainder }, { condition: 'perCounterparty', minimum, returnRemainder }]
  return { ...plainTerms, selfTrade, ...choices[(which >>> 8) % choices.length] }
}

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const rulesOf = (name: MarketName): Market => venue.markets.get(name) ?? assert.fail()

/** At every moment: what is reserved belongs to open orders, and nothing is promised that is not there. */
function check(loop: Loopback): void {
  for (const vault of loop.vaults.values()) {
    for (const { balances, open } of vault.state.accounts.values()) {
      const held = new Map<string, bigint>()
      for (const { market, side, reserved } of open.values()) {
        const asset = side === 'buy' ? assetQ : market === AQ ? assetA : assetB
        assert(reserved >= 0n)
        held.set(asset, (held.get(asset) ?? 0n) + reserved)
      }
      for (const [asset, { settled, pendingIn, pendingOut, reserved }] of balances) {
        assert.equal(reserved, held.get(asset) ?? 0n)
        assert(settled + pendingIn - pendingOut - reserved >= 0n)
      }
    }
  }
}

/**
 * What traders were promised: once the answer to a timer is there, the orders that the account had placed do not trade after its deadline, or after its connection was said to
 * have ended, whatever is on its way and whoever is how late.
 */
class Promises {
  readonly #loop: Loopback
  /** By account and what set it: the deadline, and the request whose answer makes it hold. */
  readonly #timers = new Map<string, { readonly who: string; readonly deadline: number; readonly request: number }>()
  /** Orders that may have got to their markets, by who placed them. */
  readonly #placed = new Map<string, string>()
  readonly #over = new Set<string>()
  #trades = 0

  constructor(loop: Loopback) {
    this.#loop = loop
  }

  /** An order that was refused may come again, and is then as good as new. */
  placed(id: string, who: string, request: number): void {
    if (!this.#refused(request)) this.#placed.set(id, who)
  }

  set(who: string, source: string, timeout_ms: number, cancel: boolean, request: number): void {
    const key = `${who} ${source}`
    const running = this.#timers.get(key)
    if (this.#refused(request)) return
    this.#timers.delete(key)
    if (timeout_ms > 0) this.#timers.set(key, { who, deadline: this.#loop.time + timeout_ms, request })
    else if (cancel && running !== undefined && this.#holds(running.request)) lapses.set('said', (lapses.get('said') ?? 0) + 1)
  }

  /** Time has come on. */
  ticked(): void {
    for (const [key, { who, deadline, request }] of this.#timers) {
      if (deadline > this.#loop.time) continue
      this.#timers.delete(key)
      if (!this.#holds(request)) continue
      lapses.set('run out', (lapses.get('run out') ?? 0) + 1)
      for (const [id, owner] of this.#placed) if (owner === who) this.#over.add(id)
    }
  }

  check(): void {
    for (const trade of this.#loop.trades.slice(this.#trades)) for (const id of [trade.buyOrder, trade.sellOrder]) assert(!this.#over.has(id), 'an order whose time was over does not trade')
    this.#trades = this.#loop.trades.length
  }

  #refused(request: number): boolean {
    const answer = this.#loop.answers.get(request)
    return answer !== undefined && 'refused' in answer
  }

  #holds(request: number): boolean {
    const answer = this.#loop.answers.get(request)
    if (answer === undefined || !('ok' in answer)) return false
    const { deadline, waiting } = answer.ok as TimerState
    return deadline !== null && waiting.length === 0
  }
}
const lapses = new Map<string, number>()

function play(steps: readonly Step[], every?: number, after?: (loop: Loopback) => void): { loop: Loopback; placed: Map<number, PlaceOrder> } {
  const loop = new Loopback(venue, START, every)
  const placed = new Map<number, PlaceOrder>()
  const promises = new Promises(loop)
  for (const who of accounts) for (const asset of assets) loop.chain(who, { kind: 'deposited', account: who, asset, amount: DEPOSIT as Amount, transaction: 't', ledger: 1 })
  steps.forEach((now, index) => {
    const who = accounts[now.who] ?? assert.fail()
    const expires = (Math.floor(loop.time / 1000) + now.lifetime_s) as Seconds
    const orders = [...placed.values()]
    const known = orders[now.which % Math.max(1, orders.length)]
    switch (now.what) {
      case 'order':
      case 'spend': {
        const terms: Partial<PlaceOrder> =
          now.what === 'spend'
            ? { side: 'buy', type: 'market', ticks: 0 as Ticks, lots: 0 as Lots, spend: BigInt(now.ticks * now.lots) as Amount, timeInForce: 'IOC' }
            : { side: now.side, type: 'limit', ticks: now.ticks as Ticks, lots: now.lots as Lots, spend: 0n as Amount, timeInForce: now.timeInForce }
        const place = { kind: 'place', id: String(index).padStart(64, '0') as OrderId, clientOrderId: `o${index}`, account: who, signer: who, market: now.market, terms: termsOf(now), expires, ...terms } as PlaceOrder
        const request = loop.command(place)
        placed.set(request, place)
        promises.placed(place.id, who, request)
        break
      }
      case 'again':
        if (known !== undefined) promises.placed(known.id, known.account, loop.command(known))
        break
      case 'cancel':
        if (known !== undefined) loop.command({ kind: 'cancel', id: `c${index}` as MessageId, account: known.account, signer: known.account, order: known.id, clientOrderId: null, expires })
        break
      case 'amend':
        if (known !== undefined)
          loop.command({ kind: 'amend', id: `a${index}` as MessageId, account: known.account, signer: known.account, order: known.id, price: rulesOf(known.market).formatPrice(now.ticks as Ticks), quantity: rulesOf(known.market).formatQuantity(now.lots as Lots), expires })
        break
      case 'cancelAll':
        loop.command({ kind: 'cancelAll', id: `s${index}` as MessageId, account: who, signer: who, market: now.which % 2 === 0 ? now.market : null, expires })
        break
      case 'deadMan': {
        const timeout_s = now.which % 4 === 0 ? 0 : 5 + (now.which % 4)
        const request = loop.command({ kind: 'deadMan', id: `d${index}` as MessageId, account: who, signer: who, timeout_s, expires })
        promises.set(who, 'dead man', timeout_s * 1_000, false, request)
        break
      }
      case 'presence': {
        const timeout_ms = now.which % 4 === 0 ? 0 : 5_000 + (now.which % 3) * 700
        const [session, cancel] = [`s${now.which % 2}`, now.which % 8 === 0]
        promises.set(who, session, timeout_ms, cancel, loop.command({ kind: 'presence', account: who, signer: who, session, timeout_ms, cancel }))
        break
      }
      case 'control':
      case 'open': {
        const narrow = now.what === 'control' && now.which % 2 === 0
        const state = now.what === 'open' || narrow ? 'open' : now.which % 4 === 1 ? 'halted' : 'cancelOnly'
        loop.control(now.market, { kind: 'control', state, lowTicks: (narrow ? now.ticks : 1) as Ticks, highTicks: (narrow ? 30 : 1_000_000) as Ticks })
        break
      }
      case 'operator':
        if (now.which % 4 === 0) loop.control(now.market, { kind: 'cancelAll', account: who })
        break
      case 'deliver':
        for (let n = now.which % 8; n > 0 && loop.deliver(now.which + n); n--);
        break
      case 'time':
        loop.tick(loop.time + (now.which % 4_000))
        promises.ticked()
        break
    }
    promises.check()
    after?.(loop)
  })
  loop.deliverAll()
  for (const market of venue.markets.keys()) loop.control(market, { kind: 'control', state: 'open', lowTicks: 1 as Ticks, highTicks: 1_000_000 as Ticks })
  loop.deliverAll()
  promises.check()
  return { loop, placed }
}

const balances = (loop: Loopback): Map<string, BalanceState> =>
  new Map(accounts.flatMap((who) => (loop.query({ kind: 'balances', account: who }) as { ok: BalanceState[] }).ok.map((state) => [`${who} ${state.asset}`, state])))
const runs = fc.array(step, { minLength: 50, maxLength: 200, size: 'max' })
let trades = 0

t.test('vaults and markets together: whatever the order of delivery, money moves by trades alone and nothing stays reserved', async (t) => {
  fc.assert(
    fc.property(runs, fc.boolean(), (steps, byCancel) => {
      const { loop } = play(steps, undefined, check)
      trades += loop.trades.length
      for (const state of balances(loop).values()) assert(state.available >= 0n && state.reserved >= 0n)
      for (const pair of loop.pairs.values()) {
        for (const side of ['buy', 'sell'] as const) {
          for (const { order, open } of pair.resting(side)) {
            const known = (loop.query({ kind: 'order', account: order.account, id: order.id }) as { ok: OrderState }).ok
            assert.equal(known.status, 'open')
            assert.deepEqual([known.filledLots, known.filledQuote, known.lots - known.filledLots], [order.filledLots, order.filledQuote, open])
          }
        }
      }
      for (let request = 1; request <= loop.requests; request++) assert(loop.answers.has(request), 'every request is answered')
      for (const vault of loop.vaults.values()) {
        for (const { open } of vault.state.accounts.values()) {
          for (const order of open.values()) {
            const left = BigInt(order.lots - order.filledLots)
            const [lotSize, tickSize] = order.market === AQ ? [10n, 2n] : [1n, 1n]
            assert.equal(order.reserved, order.side === 'sell' ? left * lotSize : left * BigInt(order.ticks) * tickSize, 'with nothing on its way, what is held is what is open')
            assert.equal(order.amends.length, 0)
          }
        }
      }

      const open = accounts.flatMap((who) => (loop.query({ kind: 'orders', account: who, market: null, open: true, limit: 1_000 }) as { ok: OrderState[] }).ok)
      assert.equal(open.length, [...loop.pairs.values()].reduce((sum, pair) => sum + pair.book.size, 0))
      const expires = (Math.floor(loop.time / 1000) + 1_000) as Seconds
      if (byCancel) open.forEach((order, n) => loop.command({ kind: 'cancel', id: `x${n}` as MessageId, account: order.account, signer: order.account, order: order.id, clientOrderId: null, expires }))
      else loop.tick(loop.time + 61_000)
      loop.deliverAll()

      const expected = new Map(accounts.flatMap((who) => assets.map((asset) => [`${who} ${asset}`, DEPOSIT as bigint])))
      const move = (who: string, asset: string, amount: bigint): unknown => expected.set(`${who} ${asset}`, (expected.get(`${who} ${asset}`) ?? 0n) + amount)
      for (const trade of loop.trades) {
        const base = trade.market === AQ ? assetA : assetB
        move(trade.buyer, base, trade.base - trade.buyerFee)
        move(trade.seller, base, 0n - trade.base)
        move(trade.buyer, assetQ, 0n - trade.quote)
        move(trade.seller, assetQ, trade.quote - trade.sellerFee)
      }
      for (const [key, state] of balances(loop)) {
        assert.equal(state.reserved, 0n)
        assert.equal(state.available, expected.get(key))
      }
      for (const vault of loop.vaults.values()) for (const account of vault.state.accounts.values()) assert.equal(account.open.size, 0)
    }),
    { numRuns: 800 },
  )
  t.ok(trades > 1_000, 'the runs traded')
  t.ok((lapses.get('run out') ?? 0) > 100 && (lapses.get('said') ?? 0) > 20, 'timers ran out and connections ended')
})

t.test('interrupted and gone on with from snapshots, everything is the same', async () => {
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 20 }), (steps, every) => {
      const [one, other] = [play(steps).loop, play(steps, every).loop]
      assert.deepEqual(one.feed, other.feed)
      assert.deepEqual(one.trades, other.trades)
      assert.deepEqual(one.answers, other.answers)
      for (const [name, machine] of [...one.vaults, ...one.pairs]) assert.deepEqual(machine.snapshot(), (other.vaults.get(name) ?? other.pairs.get(name))?.snapshot())
    }),
    { numRuns: 100 },
  )
})

t.test('played again, everything is the same', async () => {
  fc.assert(
    fc.property(runs, (steps) => {
      const [one, other] = [play(steps).loop, play(steps).loop]
      assert.deepEqual(one.feed, other.feed)
      assert.deepEqual(one.trades, other.trades)
      assert.deepEqual(one.answers, other.answers)
      assert.deepEqual([...one.vaults.values()].map((vault) => vault.state), [...other.vaults.values()].map((vault) => vault.state))
    }),
    { numRuns: 20 },
  )
})
