import t from 'tap'
import fc from 'fast-check'
import { cancellation, condition, refusal, selfTrade, side, timeInForce } from '../../../src/actors/pair/book/terms.ts'
import type { NewOrder } from '../../../src/actors/pair/book/terms.ts'
import { describe, firstFault, fuzz } from './fuzzing.ts'
import { landscapes } from './randomCommands.ts'
import type { BookCommand } from './randomCommands.ts'

const COMMANDS = 1_000_000
/** Every event and every reason comes at least this often, or the commands no longer reach what they are to test. */
const OFTEN = 50

t.test('a million commands: the book does what the slow book does, and a stranger knows it from its events', { timeout: 600_000 }, async (t) => {
  const counts = new Map<string, number>()
  const divergence = fuzz(1, COMMANDS, (event) => {
    const name = 'reason' in event ? `${event.event} ${event.reason}` : event.event
    counts.set(name, (counts.get(name) ?? 0) + 1)
  })
  t.equal(divergence === null ? null : describe(divergence), null)

  const often = (name: string): unknown => t.ok((counts.get(name) ?? 0) >= OFTEN, `${name}: ${counts.get(name) ?? 0}`)
  for (const name of ['accepted', 'rested', 'filled', 'amended', 'expired', 'controlled', 'reduced amend', 'reduced self_trade']) often(name)
  for (const name of Object.keys(refusal)) often(`rejected ${name}`)
  for (const name of Object.keys(cancellation)) often(`cancelled ${name}`)
})

const order: fc.Arbitrary<NewOrder> = fc.record({
  id: fc.integer({ min: 1, max: 60 }),
  account: fc.nat(3),
  side: fc.constantFrom(side.buy, side.sell),
  ticks: fc.integer({ min: 98, max: 103 }),
  lots: fc.integer({ min: 1, max: 12 }),
  budget: fc.constant(0),
  timeInForce: fc.constantFrom(timeInForce.rest, timeInForce.rest, timeInForce.rest, timeInForce.ioc, timeInForce.fok),
  postOnly: fc.boolean(),
  condition: fc.constantFrom(condition.none, condition.none, condition.aggregate, condition.perCounterparty, condition.allOrNone),
  minimum: fc.nat(6),
  returnRemainder: fc.boolean(),
  selfTrade: fc.constantFrom(selfTrade.cancelNewest, selfTrade.cancelOldest, selfTrade.cancelBoth, selfTrade.decrement),
  expires: fc.constantFrom(0, 0, 5, 6, 7),
})
/** Mostly what can be together, so that most orders are accepted. */
const sound = order.map((one): NewOrder => {
  const bounded = one.condition === condition.aggregate || one.condition === condition.perCounterparty
  const fixed = { ...one, minimum: bounded ? 1 + (one.minimum % one.lots) : 0, returnRemainder: bounded && one.returnRemainder, postOnly: one.postOnly && one.condition === condition.none && one.timeInForce === timeInForce.rest }
  if (one.condition === condition.allOrNone) return { ...fixed, timeInForce: timeInForce.rest }
  return bounded && one.timeInForce === timeInForce.fok ? { ...fixed, timeInForce: timeInForce.ioc } : fixed
})
const command: fc.Arbitrary<BookCommand> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('place' as const), order: fc.oneof({ weight: 9, arbitrary: sound }, { weight: 1, arbitrary: order }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('amend' as const), id: fc.integer({ min: 1, max: 60 }), account: fc.nat(3), ticks: fc.integer({ min: 98, max: 103 }), lots: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cancel' as const), id: fc.integer({ min: 1, max: 60 }), account: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancelAll' as const), account: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), now: fc.integer({ min: 1, max: 8 }) }) },
)

t.test('any short list of commands', async () => {
  const { rules } = landscapes[0]!
  fc.assert(
    fc.property(fc.array(command, { minLength: 1, maxLength: 60, size: 'max' }), fc.nat(), (commands, seed) => {
      const fault = firstFault({ ...rules, minLots: 1 }, commands, seed)
      if (fault !== null) throw new Error(`command ${fault.at}: ${fault.message}`)
    }),
    { numRuns: 1_500 },
  )
})
