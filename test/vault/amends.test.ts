import t from 'tap'
import { limits } from '../../src/protocol/limits.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import type { Seconds } from '../../src/protocol/identity.ts'
import { account, AQ, assetA, assetQ } from '../pair/smallVenue.ts'
import { openVault, START } from './openVault.ts'

const ann = account('ANN')
const ben = account('BEN')

/** A buy of 10 lots at 100 ticks that rests: one lot at one tick is 2 of the quote asset. */
function withBuy(funds = 10_000n) {
  const vault = openVault()
  vault.deposit(ann, assetQ, funds)
  vault.deposit(ann, assetA, 1_000n)
  vault.place('o', ann, 'buy', 10, 100)
  vault.rested(ann, 'o')
  vault.effects.take()
  return vault
}
const reservedOf = (vault: ReturnType<typeof openVault>) => vault.balance(ann, assetQ)[2]

t.test('what more an amend may cost is held before the market hears of it', async (t) => {
  const vault = withBuy()
  t.equal(reservedOf(vault), 2_000n)
  t.equal(vault.amend('a', ann, 'o', 12, 110), null, 'the market answers')
  t.equal(reservedOf(vault), 2_640n)
  t.match(vault.effects.sent, [{ to: pairActor(AQ), message: { kind: 'amend', amend: 'a', order: 'o', number: 1, account: ann, ticks: 110, lots: 12, reply: { gateway: 'g' } } }])
  t.match(vault.orderOf(ann, 'o'), { ticks: 100, lots: 10 }, 'nothing is amended until the market says so')
  vault.amended(ann, 'o', 'a', 12, 110)
  t.equal(reservedOf(vault), 2_640n)
  t.match(vault.orderOf(ann, 'o'), { ticks: 110, lots: 12, status: 'open' })
  t.match(vault.effects.feed.at(-1), { type: 'order', order: { status: 'open', quantity: '12' } })
})

t.test('what an amend frees is free when the market has taken it, and not before', async (t) => {
  const vault = withBuy()
  vault.amend('a', ann, 'o', 4, 50)
  t.equal(reservedOf(vault), 2_000n, 'it may still trade as it was')
  vault.filled(ann, 'o', 1, 100)
  t.equal(reservedOf(vault), 1_800n)
  vault.amended(ann, 'o', 'a', 4, 50)
  t.equal(reservedOf(vault), 300n, 'three are open')
})

t.test('a refused amend gives back what was held for it', async (t) => {
  const vault = withBuy()
  vault.amend('a', ann, 'o', 20, 100)
  t.equal(reservedOf(vault), 4_000n)
  vault.amendRefused(ann, 'o', 'a', 'market_halted')
  t.equal(reservedOf(vault), 2_000n)
  t.match(vault.amend('a', ann, 'o', 20, 100), { refused: 'market_halted', found: { id: 'o', lots: 10, status: 'open' } }, 'and stays refused')
  t.equal(vault.effects.sent.length, 1)
})

t.test('several on their way: enough is held for every way in which they can end', async (t) => {
  const vault = withBuy()
  vault.amend('a', ann, 'o', 5, 200)
  t.equal(reservedOf(vault), 5n * 400n + 5n * 200n, 'five lots can be bought at 200, and five more at 100')
  vault.amend('b', ann, 'o', 20, 50)
  t.equal(reservedOf(vault), 5n * 400n + 5n * 200n + 10n * 100n)
  vault.amendRefused(ann, 'o', 'a', 'price_outside_band')
  t.equal(reservedOf(vault), 10n * 200n + 10n * 100n)
  vault.filled(ann, 'o', 10, 100)
  t.equal(reservedOf(vault), 10n * 100n, 'what the market has yet to make of it is still covered')
  vault.closed(ann, 'o', 'filled')
  t.equal(reservedOf(vault), 0n)
  vault.amendRefused(ann, 'o', 'b', 'order_not_open')
  t.strictSame(vault.balance(ann, assetQ), [10_000n, -2_000n, 0n, 8_000n])
  t.match(vault.amend('b', ann, 'o', 20, 50), { refused: 'order_not_open', found: { status: 'filled' } })
})

t.test('a sell holds lots, whatever the price', async (t) => {
  const vault = openVault()
  vault.deposit(ann, assetA, 1_000n)
  vault.place('o', ann, 'sell', 10, 100)
  t.equal(vault.amend('a', ann, 'o', 10, 1), null)
  t.equal(vault.balance(ann, assetA)[2], 100n)
  t.match(vault.amend('d', ann, 'o', 101, 1), { refused: 'funds_insufficient' })
  t.equal(vault.amend('e', ann, 'o', 100, 1), null)
  t.equal(vault.balance(ann, assetA)[2], 1_000n)
})

t.test('the same message takes effect once, and answers how it stands', async (t) => {
  const vault = withBuy()
  t.equal(vault.amend('a', ann, 'o', 12, 100), null)
  t.match(vault.amend('a', ann, 'o', 12, 100), { ok: { waiting: true, amended: { id: 'o', lots: 10 } } }, 'on its way')
  vault.amended(ann, 'o', 'a', 12, 100)
  t.match(vault.amend('a', ann, 'o', 12, 100), { ok: { waiting: false, amended: { lots: 12 } } })
  vault.closed(ann, 'o', 'cancelled')
  t.match(vault.amend('a', ann, 'o', 12, 100), { ok: { waiting: false, amended: { lots: 12, status: 'cancelled' } } }, 'also when the order is closed')
  t.equal(vault.effects.sent.length, 1)
  t.match(vault.amend('o', ann, 'o', 12, 100), { refused: 'message_reused' })
  t.match(vault.command({ ...vault.order('a', ann, 'buy', 1, 1) }), { refused: 'message_reused' })
  vault.at(START + 700_000)
  t.match(vault.amend('a', ann, 'o', 12, 100), { refused: 'order_unknown' }, 'forgotten when both messages have expired')
  t.equal(vault.machine.state.amends.size, 0)
})

t.test('an amend on its way is remembered however long its market takes', async (t) => {
  const vault = withBuy()
  vault.amend('a', ann, 'o', 12, 100, { expires: (START / 1000 + 5) as Seconds })
  vault.at(START + 120_000)
  t.match(vault.amend('a', ann, 'o', 12, 100), { ok: { waiting: true } })
  vault.amended(ann, 'o', 'a', 12, 100)
  vault.at(START + 130_000)
  t.equal(vault.machine.state.amends.size, 1, 'and then to the end of the minute')
  vault.at(START + 240_000)
  t.equal(vault.machine.state.amends.size, 0)
})

t.test('self-trade prevention takes lots off an order and gives back what they held', async (t) => {
  const vault = withBuy()
  vault.reduced(ann, 'o', 4)
  t.equal(reservedOf(vault), 1_200n)
  t.match(vault.orderOf(ann, 'o'), { lots: 6, filledLots: 0, status: 'open' })
  t.match(vault.effects.feed.at(-1), { type: 'order', order: { status: 'open', filledQuantity: '0' } })
  vault.amend('a', ann, 'o', 8, 100)
  vault.reduced(ann, 'o', 2)
  t.equal(reservedOf(vault), 1_600n, 'an amend on its way may still make it eight')
  t.throws(() => vault.reduced(ann, 'o', 5), /no more than what is open/)
})

t.test('every refusal has its name and leaves nothing behind', async (t) => {
  const vault = withBuy()
  vault.place('m', ann, 'buy', 1, 1, { type: 'market', timeInForce: 'IOC' })
  vault.filled(ann, 'o', 3, 100)
  vault.effects.take()
  const before = vault.machine.snapshot()
  const now = START / 1000
  const cases = [
    ['signer_not_allowed', vault.amend('x', ann, 'o', 10, 100, { signer: ben })],
    ['order_unknown', vault.amend('x', ann, 'none', 10, 100)],
    ['order_unknown', vault.amend('x', ben, 'o', 10, 100)],
    ['message_expired', vault.amend('x', ann, 'o', 10, 100, { expires: now as Seconds })],
    ['expiry_too_far', vault.amend('x', ann, 'o', 10, 100, { expires: (now + 3_601) as Seconds })],
    ['price_off_tick', vault.amend('x', ann, 'o', 10, 100, { price: '0.00001' })],
    ['price_out_of_range', vault.amend('x', ann, 'o', 10, 1_000_001)],
    ['quantity_off_lot', vault.amend('x', ann, 'o', 10, 100, { quantity: '1.5' })],
    ['decimal_malformed', vault.amend('x', ann, 'o', 10, 100, { quantity: '01' })],
    ['quantity_out_of_range', vault.amend('x', ann, 'o', 1_001, 100)],
    ['amend_too_late', vault.amend('x', ann, 'o', 3, 100)],
    ['order_not_open', vault.amend('x', ann, 'm', 2, 1)],
    ['funds_insufficient', vault.amend('x', ann, 'o', 1_000, 100)],
  ] as const
  for (const [code, answer] of cases) t.match(answer, { refused: code })
  t.match(vault.amend('x', ann, 'o', 3, 100), { found: { id: 'o', filledLots: 3, lots: 10 } }, 'what was found is told')
  vault.effects.backlogs.set(pairActor(AQ), limits.outboxMessages)
  t.match(vault.amend('x', ann, 'o', 11, 100), { refused: 'market_unavailable' })
  vault.effects.backlogs.clear()
  t.same(vault.machine.snapshot(), before)
  t.equal(vault.effects.sent.length, 0)
  for (let n = 0; n < limits.amendsInFlight; n++) t.equal(vault.amend(`a${n}`, ann, 'o', 10, 100), null)
  t.match(vault.amend('x', ann, 'o', 10, 100), { refused: 'amends_exceeded' })
})
