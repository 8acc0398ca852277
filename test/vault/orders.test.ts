import t from 'tap'
import type { Amount, MarketName, OrderId, Seconds } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import type { OrderState, PlaceOrder } from '../../src/protocol/vault.ts'
import { account, AQ, assetA, assetB, assetQ, BQ } from '../pair/smallVenue.ts'
import { openVault, START } from './openVault.ts'

const [ann, ben] = [account('ANN'), account('BEN')]
const seconds = START / 1000

t.test('an order reserves what it may cost, travels to its market, and its fills are pending', async (t) => {
  const { deposit, place, effects, rested, filled, closed, balance, orderOf, order } = openVault()
  deposit(ann, assetQ, 5_000n)
  effects.take()
  t.equal(place('o1', ann, 'buy', 10, 100), null)
  const { kind: _, clientOrderId: _name, signer: _signer, type: _type, id, market: _market, ...terms } = order('o1', ann, 'buy', 10, 100)
  const message = { kind: 'place', order: id, number: 1, signer: null, ...terms, mayRest: true, created: START, reply: { gateway: 'g', request: 1 } }
  t.strictSame(effects.take(), { sent: [{ to: pairActor(AQ), message }], answers: [], feed: [] }, 'the market answers, and the feed waits for it')
  t.strictSame(balance(ann, assetQ), [5_000n, 0n, 2_000n, 3_000n])

  filled(ann, 'o1', 4, 90)
  t.strictSame(balance(ann, assetQ), [5_000n, -720n, 1_200n, 3_080n], 'the better price is free again at once')
  t.strictSame(balance(ann, assetA), [0n, 40n, 0n, 40n])
  rested(ann, 'o1')
  t.match(orderOf(ann, 'o1'), { status: 'open', reason: null, filledLots: 4, filledQuote: 720n })
  filled(ann, 'o1', 6, 100)
  closed(ann, 'o1', 'filled')
  t.strictSame(balance(ann, assetQ), [5_000n, -1_920n, 0n, 3_080n])
  t.match(orderOf(ann, 'o1'), { status: 'filled', reason: 'filled', filledLots: 10, filledQuote: 1_920n })

  t.equal(place('o2', ann, 'sell', 10, 100), null, 'what is not yet on chain may be traded on')
  t.strictSame(balance(ann, assetA), [0n, 100n, 100n, 0n])
  filled(ann, 'o2', 3, 120)
  closed(ann, 'o2', 'cancelled')
  t.strictSame(balance(ann, assetA), [0n, 70n, 0n, 70n])
  t.strictSame(balance(ann, assetQ), [5_000n, -1_200n, 0n, 3_800n])
})

t.test('a settled batch moves pending to settled', async (t) => {
  const { deposit, place, filled, closed, settled, balance, effects } = openVault()
  deposit(ann, assetQ, 1_000n)
  place('o', ann, 'buy', 5, 100)
  const trade = filled(ann, 'o', 5, 100)
  closed(ann, 'o', 'filled')
  effects.take()
  settled(ann, [trade], [[assetA, 50n, 0n], [assetQ, 0n, 1_000n]])
  t.strictSame(balance(ann, assetA), [50n, 0n, 0n, 50n])
  t.strictSame(balance(ann, assetQ), [0n, 0n, 0n, 0n])
  t.match(effects.feed, [{ type: 'settled', trades: [trade], transaction: 'tb', ledger: 3 }])
})

t.test('a settlement that overtakes the fill gives the same in the end, and frees nothing in between', async (t) => {
  const { deposit, place, filled, closed, settled, balance, withdraw, refusal } = openVault()
  deposit(ann, assetQ, 1_000n)
  place('o', ann, 'buy', 5, 100)
  settled(ann, ['A-Q:1' as never], [[assetA, 50n, 0n], [assetQ, 0n, 1_000n]])
  t.strictSame(balance(ann, assetQ), [0n, 1_000n, 1_000n, 0n])
  t.equal(refusal(withdraw('w', ann, assetQ, 1n)), 'funds_insufficient')
  t.equal(refusal(withdraw('w', ann, assetA, 1n)), 'funds_insufficient')
  filled(ann, 'o', 5, 100)
  closed(ann, 'o', 'filled')
  t.strictSame(balance(ann, assetQ), [0n, 0n, 0n, 0n])
  t.strictSame(balance(ann, assetA), [50n, 0n, 0n, 50n])
})

t.test('a market buy by budget holds the budget and gives back what it did not spend', async (t) => {
  const { deposit, place, filled, closed, balance } = openVault()
  deposit(ann, assetQ, 1_000n)
  const bySpend = { type: 'market', spend: 700n as Amount, timeInForce: 'IOC' } as const
  t.equal(place('o', ann, 'buy', 0, 0, bySpend), null)
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 700n, 300n])
  filled(ann, 'o', 3, 100)
  t.strictSame(balance(ann, assetQ), [1_000n, -600n, 100n, 300n])
  closed(ann, 'o', 'filled')
  t.strictSame(balance(ann, assetQ), [1_000n, -600n, 0n, 400n])
})

t.test('two orders on two markets can never promise the same money', async (t) => {
  const { deposit, place, closed, balance } = openVault()
  deposit(ann, assetQ, 1_000n)
  t.equal(place('o1', ann, 'buy', 3, 100), null)
  t.equal(place('o2', ann, 'buy', 401, 1, { market: BQ }), 'funds_insufficient')
  t.equal(place('o3', ann, 'buy', 400, 1, { market: BQ }), null)
  t.strictSame(balance(ann, assetQ), [1_000n, 0n, 1_000n, 0n])
  closed(ann, 'o1', 'no_liquidity')
  t.equal(place('o4', ann, 'buy', 3, 100), null)
})

t.test('every refusal of an order has its name, and leaves nothing behind', async (t) => {
  const { machine, deposit, place, effects, balance } = openVault()
  deposit(ann, assetQ, 1_000_000n)
  effects.take()
  const market = { type: 'market', timeInForce: 'IOC' } as const
  const spend = (units: bigint): Partial<PlaceOrder> => ({ ...market, spend: units as Amount })
  const cases: readonly (readonly [string, Parameters<typeof place>])[] = [
    ['signer_not_allowed', ['x', ann, 'buy', 1, 1, { signer: ben }]],
    ['message_expired', ['x', ann, 'buy', 1, 1, { expires: seconds as Seconds }]],
    ['expiry_too_far', ['x', ann, 'buy', 1, 1, { expires: (seconds + 3_601) as Seconds }]],
    ['message_malformed', ['x', ann, 'buy', 1, 1, { expires: NaN as Seconds }]],
    ['market_unknown', ['x', ann, 'buy', 1, 1, { market: 'A-B' as MarketName }]],
    ['price_out_of_range', ['x', ann, 'buy', 1, 0]],
    ['price_out_of_range', ['x', ann, 'buy', 1, 1_000_001]],
    ['price_out_of_range', ['x', ann, 'buy', 1, 1.5]],
    ['quantity_out_of_range', ['x', ann, 'buy', 0, 1]],
    ['quantity_out_of_range', ['x', ann, 'buy', 1_001, 1]],
    ['quantity_out_of_range', ['x', ann, 'buy', 1.5, 1]],
    ['quantity_out_of_range', ['x', ann, 'buy', 0, 0, spend(-1n)]],
    ['message_malformed', ['x', ann, 'sell', 0, 0, spend(1n)]],
    ['message_malformed', ['x', ann, 'buy', 1, 1, spend(1n)]],
    ['message_malformed', ['x', ann, 'buy', 1, 1, { ...market, timeInForce: 'GTC' }]],
    ['message_malformed', ['x', ann, 'both' as 'buy', 1, 1]],
    ['account_unknown', ['x', ben, 'buy', 1, 1]],
    ['funds_insufficient', ['x', ann, 'buy', 1_000, 501]],
    ['funds_insufficient', ['x', ann, 'sell', 1, 1]],
    ['funds_insufficient', ['x', ann, 'buy', 0, 0, spend(1_000_001n)]],
  ]
  for (const [code, terms] of cases) t.equal(place(...terms), code)
  effects.backlogs.set(pairActor(AQ), limits.outboxMessages)
  t.equal(place('x', ann, 'buy', 1, 1), 'market_unavailable')
  t.equal(place('y', ann, 'buy', 1, 1, { market: BQ }), null, 'the other market is not affected')
  effects.backlogs.set(pairActor(AQ), limits.outboxMessages - 1)
  t.equal(effects.sent.length, 1)
  t.strictSame([...machine.state.orders.keys()], ['y'])
  t.strictSame(balance(ann, assetQ), [1_000_000n, 0n, 1n, 999_999n])
  t.equal(place('x', ann, 'buy', 1, 1), null, 'the same message is judged again')
})

t.test('open orders of an account are bounded', async (t) => {
  const { deposit, place, closed } = openVault()
  deposit(ann, assetQ, 10n ** 9n)
  for (let n = 0; n < limits.openOrdersPerAccount; n++) place(`o${n}`, ann, 'buy', 1, 1)
  t.equal(place('more', ann, 'buy', 1, 1), 'open_orders_exceeded')
  closed(ann, 'o5', 'expired')
  t.equal(place('more', ann, 'buy', 1, 1), null)
})

t.test('the same message again is the same order, whatever has become of it', async (t) => {
  const { machine, deposit, command, order, effects, rested, closed, withdraw, refusal, at } = openVault()
  deposit(ann, assetQ, 1_000n)
  const message = order('o', ann, 'buy', 1, 100)
  t.equal(command(message), null)
  effects.take()
  t.match(command(message), { ok: { id: 'o', status: 'pending', created: START, updated: START } })
  rested(ann, 'o')
  t.match(command(message), { ok: { id: 'o', status: 'open' } })
  at(START + 5)
  closed(ann, 'o', 'cancelled')
  t.match(command(message), { ok: { id: 'o', status: 'cancelled', reason: 'cancelled', created: START, updated: START + 5 } })
  t.equal(effects.sent.length, 0, 'nothing travels twice')
  t.equal(machine.state.orders.size, 1)

  t.same(command({ ...message, signer: ben }), { refused: 'signer_not_allowed' }, 'a stranger hears nothing of it')
  t.equal(refusal(withdraw('o', ann, assetQ, 1n)), 'message_reused')
  withdraw('w', ann, assetQ, 1n)
  t.same(command({ ...message, id: 'w' as OrderId }), { refused: 'message_reused' })
  deposit(ben, assetQ, 1_000n)
  t.same(command({ ...message, account: ben, signer: ben }), { refused: 'message_reused' })
})

t.test('cancels go to the market, which answers; another account\'s order is as one that does not exist', async (t) => {
  const { deposit, place, cancel, closed, effects } = openVault()
  deposit(ann, assetQ, 1_000n)
  deposit(ben, assetQ, 1_000n)
  place('o', ann, 'buy', 1, 100)
  effects.take()
  t.equal(cancel(ann, 'o'), null)
  t.match(effects.take().sent, [{ to: pairActor(AQ), message: { kind: 'cancel', order: 'o', account: ann } }])
  t.equal(cancel(ann, 'o'), null, 'once more does no harm')
  t.equal(cancel(ben, 'o'), 'order_unknown')
  t.equal(cancel(ben, 'none'), 'order_unknown')
  t.equal(cancel(ann, 'o', { signer: ben }), 'signer_not_allowed')
  t.equal(cancel(ann, 'o', { expires: seconds as Seconds }), 'message_expired')
  effects.backlogs.set(pairActor(AQ), limits.outboxMessages)
  t.equal(cancel(ann, 'o'), null, 'a market too busy for new orders takes cancels')
  effects.backlogs.set(pairActor(AQ), 2 * limits.outboxMessages)
  t.equal(cancel(ann, 'o'), 'market_unavailable')
  closed(ann, 'o', 'cancelled')
  t.equal(cancel(ann, 'o'), 'order_not_open')
})

t.test('each reason to close has its status and releases what was held', async (t) => {
  const statuses = { cancelled: 'cancelled', no_liquidity: 'cancelled', fok_unfillable: 'cancelled', self_trade: 'cancelled', expired: 'expired', market_full: 'rejected' } as const
  for (const [reason, status] of Object.entries(statuses)) {
    const { deposit, place, closed, balance, orderOf } = openVault()
    deposit(ann, assetA, 100n)
    place('o', ann, 'sell', 10, 1)
    t.strictSame(balance(ann, assetA), [100n, 0n, 100n, 0n])
    closed(ann, 'o', reason as keyof typeof statuses)
    t.strictSame(balance(ann, assetA), [100n, 0n, 0n, 100n])
    t.match(orderOf(ann, 'o'), { status, reason })
  }
})

t.test('the feed numbers every deposit, state change, fill and settlement of an account', async (t) => {
  const { deposit, place, rested, filled, closed, effects } = openVault()
  deposit(ann, assetQ, 1_000n)
  deposit(ben, assetB, 5n)
  place('o', ann, 'buy', 2, 100)
  rested(ann, 'o')
  const trade = filled(ann, 'o', 1, 99)
  closed(ann, 'o', 'expired')
  const time = new Date(START).toISOString()
  t.match(effects.feed, [
    { v: 1, seq: 1, account: ann, time, type: 'deposit', asset: 'Q', amount: '10', transaction: 'tx', ledger: 1 },
    { v: 1, seq: 1, account: ben, time, type: 'deposit', asset: 'B', amount: '0.5' },
    { v: 1, seq: 2, account: ann, type: 'order', order: { id: 'o', status: 'open', price: '2', quantity: '2', filledQuantity: '0' } },
    { v: 1, seq: 3, account: ann, type: 'fill', trade, order: 'o', side: 'buy', role: 'taker', price: '1.98', quantity: '1', quote: '1.98', fee: '0' },
    { v: 1, seq: 4, account: ann, type: 'order', order: { id: 'o', status: 'expired', reason: 'expired', filledQuantity: '1', filledQuote: '1.98' } },
  ])
})

t.test('a fee comes off what a fill brings, and off nothing else', async (t) => {
  const { deposit, place, rested, filled, settled, balance } = openVault()
  deposit(ann, assetQ, 1_000n)
  deposit(ben, assetA, 100n)
  place('b', ann, 'buy', 2, 100)
  place('s', ben, 'sell', 2, 100)
  for (const [who, order] of [[ann, 'b'], [ben, 's']] as const) rested(who, order)
  // A lot is 10 of A, a tick 2 of Q a lot.
  const trade = filled(ann, 'b', 1, 100, undefined, 1n)
  filled(ben, 's', 1, 100, undefined, 7n)
  t.same([balance(ann, assetQ), balance(ann, assetA)], [[1_000n, -200n, 200n, 600n], [0n, 9n, 0n, 9n]])
  t.same([balance(ben, assetA), balance(ben, assetQ)], [[100n, -10n, 10n, 80n], [0n, 193n, 0n, 193n]])
  settled(ann, [trade], [[assetA, 9n, 0n], [assetQ, 0n, 200n]])
  t.same([balance(ann, assetQ), balance(ann, assetA)], [[800n, 0n, 200n, 600n], [9n, 0n, 0n, 9n]])
  t.throws(() => filled(ann, 'b', 1, 100, undefined, 11n), { message: /a fee is taken from what the order receives/ })
  t.throws(() => filled(ann, 'b', 1, 100, undefined, -1n), { message: /a fee is taken from what the order receives/ })
})

t.test('lists are newest first, bounded, and only one\'s own', async (t) => {
  const { machine, deposit, place, closed } = openVault()
  deposit(ann, assetQ, 10_000n)
  deposit(ben, assetQ, 1_000n)
  for (const n of [1, 2, 3, 4]) place(`o${n}`, ann, 'buy', 1, 1, { market: n % 2 === 0 ? BQ : AQ })
  place('b', ben, 'buy', 1, 1)
  closed(ann, 'o3', 'cancelled')
  const list = (open: boolean, market: MarketName | null = null, limit = 100): string[] =>
    (machine.query({ kind: 'orders', account: ann, market, open, limit }) as { ok: OrderState[] }).ok.map((order) => order.id)
  t.strictSame(list(true), ['o4', 'o2', 'o1'])
  t.strictSame(list(false), ['o4', 'o3', 'o2', 'o1'])
  t.strictSame(list(false, AQ), ['o3', 'o1'])
  t.strictSame(list(false, null, 2), ['o4', 'o3'])
  const before = (id: string, open: boolean, limit = 100) => machine.query({ kind: 'orders', account: ann, market: null, open, limit, before: id as OrderId }) as { ok?: OrderState[]; refused?: string }
  t.strictSame(before('o4', false, 2).ok?.map(({ id }) => id), ['o3', 'o2'])
  t.strictSame(before('o3', true).ok?.map(({ id }) => id), ['o2', 'o1'], 'behind an order that has closed meanwhile')
  t.strictSame(before('o1', true), { ok: [] })
  t.strictSame(before('b', true), { refused: 'order_unknown' }, 'another’s')
  t.strictSame(machine.query({ kind: 'orders', account: account('X'), market: null, open: false, limit: 9 }), { ok: [] })
  t.strictSame(machine.query({ kind: 'order', account: ben, id: 'o1' as OrderId }), { refused: 'order_unknown' })
  t.strictSame(machine.query({ kind: 'order', account: ben, id: 'none' as OrderId }), { refused: 'order_unknown' })
  const shown = machine.query({ kind: 'order', account: ann, id: 'o1' as OrderId }) as { ok: object }
  t.notOk('number' in shown.ok || 'reserved' in shown.ok, 'what is the vault\'s own stays there')
  for (let n = 0; n < 3 * limits.listedOrders; n++) {
    place(`m${n}`, ann, 'buy', 1, 1)
    closed(ann, `m${n}`, 'no_liquidity')
  }
  const many = list(false, null, 1e9)
  t.equal(many.length, limits.listedOrders)
  t.equal(many[0], `m${3 * limits.listedOrders - 1}`)
})

t.test('a closed order is forgotten when its message has expired, an open one never', async (t) => {
  const { machine, deposit, place, closed, at, command, order } = openVault()
  deposit(ann, assetQ, 1_000n)
  t.equal(machine.deadline(), null)
  const early = order('early', ann, 'buy', 1, 1, { expires: (seconds + 30) as Seconds })
  command(early)
  place('late', ann, 'buy', 1, 1, { expires: (seconds + 600) as Seconds })
  place('held', ann, 'buy', 1, 1, { expires: (seconds + 30) as Seconds })
  closed(ann, 'early', 'cancelled')
  closed(ann, 'late', 'cancelled')
  t.equal(machine.deadline(), START + 60_000)
  at(START + 59_999)
  t.match(command(early), { ok: { status: 'cancelled' } }, 'still remembered')
  at(START + 60_000)
  t.strictSame([...machine.state.orders.keys()], ['late', 'held'])
  t.strictSame(command(early), { refused: 'message_expired' }, 'it cannot be replayed')
  t.equal(machine.deadline(), START + 660_000)
  closed(ann, 'held', 'expired')
  t.equal(machine.deadline(), START + 120_000)
  at(START + 700_000)
  t.equal(machine.state.orders.size, 0)
  t.equal(machine.state.forgettable.size, 0)
  t.equal(machine.deadline(), null)
})

t.test('many ids are forgotten in bounded steps', async (t) => {
  const { machine, deposit, place, closed, at } = openVault()
  deposit(ann, assetQ, 10n)
  for (let n = 0; n < 10_000; n++) {
    place(`o${n}`, ann, 'buy', 1, 1)
    closed(ann, `o${n}`, 'no_liquidity')
  }
  const sizes: number[] = []
  for (let n = 0; n < 3; n++) {
    at(START + 700_000)
    sizes.push(machine.state.orders.size)
  }
  t.strictSame(sizes, [10_000 - 4_096, 10_000 - 8_192, 0])
})

t.test('what must never happen stops the actor', async (t) => {
  const { deposit, place, rested, filled, closed, machine, effects } = openVault()
  deposit(ann, assetQ, 1_000n)
  place('o', ann, 'buy', 2, 100)
  t.throws(() => rested(ann, 'none'), /orders that are open/)
  t.throws(() => rested(ben, 'o'), /account that placed/)
  t.throws(() => rested(ann, 'o', BQ), /only the market an order was sent to/)
  t.throws(() => filled(ann, 'o', 1, 101), /no worse than its order/)
  t.throws(() => filled(ann, 'o', 3, 100), /covered by what its order holds/)
  t.throws(() => closed(ann, 'o', 'filled'), /a filled order holds nothing/)
  rested(ann, 'o')
  t.throws(() => rested(ann, 'o'), /comes to rest once/)
  closed(ann, 'o', 'cancelled')
  t.throws(() => closed(ann, 'o', 'cancelled'), /orders that are open/)
  t.throws(() => machine.message(pairActor(AQ), { kind: 'ledger', ledger: 1 }, effects), /the watcher speaks for the chain/)
  t.throws(() => machine.local(undefined as never, effects), /no driver/)
})
