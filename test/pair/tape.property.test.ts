import fc from 'fast-check'
import t from 'tap'
import { Tape } from '../../src/actors/pair/tape.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { Lots, Milliseconds, Ticks } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import type { TapePrint, TapeRules } from '../../src/protocol/tape.ts'
import { AQ, marketOf, smallVenue } from './smallVenue.ts'

// The tape against a model that keeps all trades and works out anew, each time it is asked, what may be public by then.

const market = marketOf(smallVenue(), AQ)
const START_MS = 1_800_000_000_123

interface Step {
  readonly wait_ms: number
  readonly ticks: number
  /** 0: time passes and nothing is traded. */
  readonly lots: number
  readonly restart: boolean
}
interface Trade {
  readonly time: number
  readonly ticks: number
  readonly lots: number
}

const rules = fc.record({ delay_s: fc.constantFrom(1, 2, 60), roundLots: fc.constantFrom(1, 2, 10), roundTicks: fc.constantFrom(1, 2, 5) }) as fc.Arbitrary<TapeRules>
const step: fc.Arbitrary<Step> = fc.record({
  wait_ms: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(2_100) }, { weight: 1, arbitrary: fc.nat(200_000) }),
  ticks: fc.integer({ min: 1, max: 12 }),
  lots: fc.oneof({ weight: 4, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.constantFrom(0, 1, 9, 2_147_483_647) }),
  restart: fc.boolean(),
})
const steps = fc.array(step, { maxLength: 60 })

const nearest = (ticks: number, multiple: number): number => {
  const multiples = Array.from({ length: 20 }, (_, n) => (n + 1) * multiple)
  // Of two as near, the higher one.
  return multiples.reduce((best, one) => (Math.abs(one - ticks) <= Math.abs(best - ticks) ? one : best))
}

/** What may be public at a time. */
function publicAt(trades: readonly Trade[], { delay_s, roundLots, roundTicks }: TapeRules, now: number): Omit<TapePrint, 'seq' | 'v' | 'market' | 'type'>[] {
  const delay_ms = delay_s * 1000
  const intervals = [...new Set(trades.map(({ time }) => time - (time % delay_ms)))].sort((a, b) => a - b)
  return intervals.flatMap((from) => {
    const until = from + delay_ms
    if (until + delay_ms > now) return []
    const within = trades.filter(({ time, lots }) => time >= from && time < until && lots >= roundLots)
    const prices = [...new Set(within.map(({ ticks }) => nearest(ticks, roundTicks)))].sort((a, b) => a - b)
    return prices.map((price) => {
      let lots = 0n
      for (const trade of within) if (nearest(trade.ticks, roundTicks) === price) lots += BigInt(Math.floor(trade.lots / roundLots) * roundLots)
      return { from: new Date(from).toISOString(), until: new Date(until).toISOString(), price: market.formatPrice(price as Ticks), quantity: market.formatQuantity(lots) }
    })
  })
}

function restarted(tape: Tape): Tape {
  const next = new Tape(market)
  next.restore(decode(encode(tape.state)))
  return next
}

/** Lives through it. @param look after each step, with all that was printed by then */
function live(follows: TapeRules, history: readonly Step[], look: (printed: readonly TapePrint[], trades: readonly Trade[], now: number, tape: Tape) => void = () => undefined): TapePrint[] {
  let tape = new Tape(market)
  tape.follow(follows)
  const printed: TapePrint[] = []
  const trades: Trade[] = []
  let now = START_MS
  for (const { wait_ms, ticks, lots, restart } of history) {
    now += wait_ms
    tape.advance(now as Milliseconds, (print) => printed.push(print))
    if (lots > 0) {
      tape.traded(ticks as Ticks, lots as Lots, now as Milliseconds)
      trades.push({ time: now, ticks, lots })
    }
    if (restart) tape = restarted(tape)
    tape.follow(follows)
    look(printed, trades, now, tape)
  }
  return printed
}

t.test('what is printed is what may be public, as soon as it may and no sooner, whatever restarts', async (t) => {
  fc.assert(
    fc.property(rules, steps, (follows, history) => {
      live(follows, history, (printed, trades, now, tape) => {
        const expected = publicAt(trades, follows, now).map((print, place) => ({ v: 1, seq: place + 1, market: AQ, type: 'print', ...print }))
        t.strictSame(printed, expected)
        const { deadline } = tape
        // It wakes when the next is due: a moment before there would be nothing.
        const more = (at: number): number => publicAt(trades, follows, at).length - printed.length
        t.equal(deadline === null ? more(Infinity) : more(deadline - 1), 0)
        if (deadline !== null) t.ok(more(deadline) > 0)
      })
    }),
    { numRuns: 300 },
  )
})

t.test('a trade that is too small leaves no trace, and neither does what is cut off of one', async (t) => {
  fc.assert(
    fc.property(rules, steps, (follows, history) => {
      const known = history.map((one) => ({ ...one, lots: one.lots - (one.lots % follows.roundLots) }))
      const states: unknown[] = []
      const note = (_printed: unknown, _trades: unknown, _now: number, tape: Tape): void => void states.push([tape.state, tape.deadline])
      const printed = live(follows, history, note)
      const seen = states.splice(0)
      t.strictSame(printed, live(follows, known, note), 'the same prints')
      t.strictSame(seen, states, 'and nothing inside that could ever show')
    }),
    { numRuns: 200 },
  )
})

t.test('what was traded under other rules is never printed', async (t) => {
  fc.assert(
    fc.property(rules, rules, steps, steps, (before, after, one, two) => {
      const tape = new Tape(market)
      const printed: TapePrint[] = []
      let now = START_MS
      const go = (history: readonly Step[]): void => {
        for (const { wait_ms, ticks, lots } of history) {
          now += wait_ms
          tape.advance(now as Milliseconds, (print) => printed.push(print))
          if (lots > 0) tape.traded(ticks as Ticks, lots as Lots, now as Milliseconds)
        }
      }
      tape.follow(before)
      go(one)
      const [changed, count] = [now, printed.length]
      tape.follow(null)
      t.equal(tape.deadline, null)
      go(two)
      t.equal(printed.length, count, 'a tape that is off prints nothing')
      tape.follow(after)
      const again = now
      go(two)
      for (const print of printed.slice(count)) t.ok(Date.parse(print.until) > again && Date.parse(print.until) > changed)
      t.strictSame(printed.map(({ seq }) => seq), printed.map((_, place) => place + 1), 'and the numbers go on')
    }),
    { numRuns: 100 },
  )
})

t.test('an interval tells so many prices apart and no more', async (t) => {
  const tape = new Tape(market)
  tape.follow({ delay_s: 1, roundLots: 1 as Lots, roundTicks: 1 as Ticks })
  for (let ticks = limits.tapePrices + 5; ticks > 0; ticks--) tape.traded(ticks as Ticks, 1 as Lots, START_MS as Milliseconds)
  tape.traded(limits.tapePrices as Ticks, 2 as Lots, START_MS as Milliseconds)
  const printed: TapePrint[] = []
  tape.advance((START_MS + 3_000) as Milliseconds, (print) => printed.push(print))
  t.equal(printed.length, limits.tapePrices)
  t.equal(printed.find(({ price }) => price === market.formatPrice(limits.tapePrices as Ticks))?.quantity, market.formatQuantity(3 as Lots), 'what has a place goes on to count')
})
