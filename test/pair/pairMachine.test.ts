import t from 'tap'
import { PairMachine } from '../../src/actors/pair/pairMachine.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { Amount, Lots, Milliseconds, OrderId, Seconds, Ticks } from '../../src/protocol/identity.ts'
import type { PairCommand, PairMessage, PairOutcome, Trade } from '../../src/protocol/pair.ts'
import { settlementActor, vaultActor, vaultOf } from '../../src/protocol/subjects.ts'
import { plainTerms } from '../../src/protocol/terms.ts'
import type { PairReport } from '../../src/protocol/vault.ts'
import { Recorder } from './recorder.ts'
import { account, AQ, marketOf, smallVenue } from './smallVenue.ts'

type Place = Extract<PairMessage, { kind: 'place' }>

const venue = smallVenue(4)
const [ann, ben, cas] = [account('ANN'), account('BEN'), account('CAS')]
const START = 1_800_000_000_000

/** Market A-Q: a lot is 10 units of A, a tick 2 units of Q per lot. */
function open(maxOrders?: number) {
  const machine = new PairMachine(marketOf(venue, AQ), venue, maxOrders)
  const effects = new Recorder(START)
  let request = 0
  const say = (message: PairMessage): PairOutcome | string => {
    machine.message(vaultOf(message.account, 4), message, effects)
    const last = effects.answers.at(-1)?.answer
    if (last === undefined) throw new Error('no answer')
    return 'refused' in last ? last.refused : (last.ok as PairOutcome)
  }
  const numbers = new Map<string, number>()
  const place = (order: string, who: Place['account'], side: Place['side'], lots: number, ticks: number, more: Partial<Place> = {}): PairOutcome => {
    numbers.set(order, numbers.size + 1)
    const terms = { order: order as OrderId, number: numbers.size, terms: plainTerms, account: who, signer: null, side, lots: lots as Lots, ticks: ticks as Ticks, spend: 0n as Amount }
    const rest = { timeInForce: 'GTC', mayRest: true, expires: (START / 1000 + 60) as Seconds, created: (START - 1) as Milliseconds, reply: { gateway: 'g', request: request++ } } as const
    return say({ kind: 'place', ...terms, ...rest, ...more }) as PairOutcome
  }
  const cancel = (order: string, who: Place['account']): PairOutcome | string =>
    say({ kind: 'cancel', order: order as OrderId, number: numbers.get(order) ?? 99, account: who, reply: { gateway: 'g', request: request++ } })
  const resting = (side: Place['side']): string[] => [...machine.resting(side)].map(({ order, open }) => `${order.id} ${open}@${order.ticks}`)
  return { machine, effects, place, cancel, resting }
}

t.test('an operator sweeps a halted market in pieces that a record holds, and hears of numbers alone', async (t) => {
  const { machine, place, effects, resting } = open()
  const owners = Array.from({ length: 30 }, (_, n) => account(`OWNER${n}`))
  for (const owner of owners) for (let n = 0; n < 70; n++) place(`${owner}-${n}`, owner, 'sell', 1, 100 + n)
  const command = (command: PairCommand): unknown => {
    effects.take()
    machine.command(command, { gateway: 'operator', request: 0 }, effects)
    return effects.answers.at(-1)?.answer
  }
  command({ kind: 'control', state: 'halted', lowTicks: 1 as Ticks, highTicks: 1_000 as Ticks })
  t.strictSame(command({ kind: 'sweep' }), { ok: { cancelled: 1_050, open: 1_050 } }, 'fifteen accounts, each whole')
  t.equal(effects.sent.length, 1_050, 'each order is told to its vault actor')
  t.strictSame(command({ kind: 'sweep' }), { ok: { cancelled: 1_050, open: 0 } })
  t.strictSame(command({ kind: 'sweep' }), { ok: { cancelled: 0, open: 0 } }, 'said twice')
  t.strictSame(resting('sell'), [])
})

const brief = ({ status, reason, filledLots, filledQuote }: PairOutcome): unknown[] => [status, reason, filledLots, filledQuote]

t.test('a full fill is told to both traders, to the settlement actor and to the gateway', async (t) => {
  const { place, effects } = open()
  place('s', ann, 'sell', 5, 100)
  effects.take()
  const outcome = place('b', ben, 'buy', 5, 110)
  t.strictSame(outcome, { order: 'b', status: 'filled', reason: 'filled', ticks: 110, lots: 5, filledLots: 5, filledQuote: 1_000n, created: START - 1, time: START })
  const fill = { kind: 'filled', trade: 'A-Q:1', ticks: 100, lots: 5, base: 50n, quote: 1_000n, fee: 0n, time: START }
  const [annVault, benVault] = [vaultOf(ann, 4), vaultOf(ben, 4)]
  const sides = { buyer: ben, seller: ann, buyOrder: 'b', sellOrder: 's' }
  t.strictSame(effects.sent, [
    { to: benVault, message: { ...fill, order: 'b', account: ben, role: 'taker' } },
    { to: annVault, message: { ...fill, order: 's', account: ann, role: 'maker' } },
    { to: annVault, message: { kind: 'closed', order: 's', account: ann, reason: 'filled', time: START } },
    { to: settlementActor(0), message: { kind: 'trade', id: 'A-Q:1', market: 'A-Q', ...sides, ticks: 100, lots: 5, base: 50n, quote: 1_000n, buyerFee: 0n, sellerFee: 0n, time: START, journal: new Uint8Array(32) } },
    { to: benVault, message: { kind: 'closed', order: 'b', account: ben, reason: 'filled', time: START } },
  ])
})

t.test('each side pays in what it receives, at the rates that the market was told last', async (t) => {
  const { machine, place, effects } = open()
  const fees = (): unknown[] =>
    effects.take().sent.flatMap(({ message }) => {
      const told = message as PairReport | Trade
      return told.kind === 'filled' ? [[told.role, told.base, told.quote, told.fee]] : told.kind === 'trade' ? [[told.buyerFee, told.sellerFee]] : []
    })
  t.strictSame(machine.fees, { maker_ppm: 0, taker_ppm: 0 })
  machine.local({ kind: 'fees', rates: { maker_ppm: 1_000, taker_ppm: 2_500 } })
  place(id('a'), ann, 'sell', 500, 100)
  place('b', ben, 'buy', 101, 100)
  // The taker buys: 0.25 % of 1,010 of A, and the maker 0.1 % of 20,200 of Q, each rounded up.
  t.strictSame(fees(), [['taker', 1_010n, 20_200n, 3n], ['maker', 1_010n, 20_200n, 21n], [3n, 21n]])
  const again = new PairMachine(marketOf(venue, AQ), venue)
  again.restore(machine.snapshot())
  t.strictSame(again.fees, { maker_ppm: 1_000, taker_ppm: 2_500 })
  t.strictSame(Buffer.from(again.snapshot()), Buffer.from(machine.snapshot()))
  machine.local({ kind: 'fees', rates: { maker_ppm: 0, taker_ppm: 10_000 } })
  place('c', ben, 'buy', 100, 100)
  t.strictSame(fees(), [['taker', 1_000n, 20_000n, 10n], ['maker', 1_000n, 20_000n, 0n], [10n, 0n]])
  place('d', ann, 'buy', 1, 90)
  place('e', ben, 'sell', 1, 90)
  t.strictSame(fees(), [['taker', 10n, 180n, 2n], ['maker', 10n, 180n, 0n], [0n, 2n]], 'the taker sells')
  machine.local({ kind: 'fees', rates: { maker_ppm: 0, taker_ppm: 0 } })
  place('f', ben, 'buy', 1, 100)
  t.strictSame(fees(), [['taker', 10n, 200n, 0n], ['maker', 10n, 200n, 0n], [0n, 0n]])
})

t.test('best price first, then first come; the rest of the taker waits', async (t) => {
  const { place, resting } = open()
  place('s1', ann, 'sell', 2, 101)
  place('s2', ann, 'sell', 2, 100)
  place('s3', cas, 'sell', 2, 100)
  place('s4', ann, 'sell', 2, 103)
  t.strictSame(resting('sell'), ['s2 2@100', 's3 2@100', 's1 2@101', 's4 2@103'])
  t.strictSame(brief(place('b1', ben, 'buy', 3, 102)), ['filled', 'filled', 3, 600n])
  t.strictSame(resting('sell'), ['s3 1@100', 's1 2@101', 's4 2@103'])
  t.strictSame(brief(place('b2', ben, 'buy', 5, 102)), ['open', null, 3, 2n * (100n + 202n)])
  t.strictSame(resting('sell'), ['s4 2@103'])
  t.strictSame(resting('buy'), ['b2 2@102'])
})

t.test('IOC and market orders return what finds nothing more', async (t) => {
  const { place, resting } = open()
  place('s', ann, 'sell', 2, 100)
  t.strictSame(brief(place('i', ben, 'buy', 3, 100, { timeInForce: 'IOC' })), ['cancelled', 'no_liquidity', 2, 400n])
  t.strictSame(brief(place('m', ben, 'sell', 3, 1, { timeInForce: 'IOC', mayRest: false })), ['cancelled', 'no_liquidity', 0, 0n])
  t.strictSame([...resting('buy'), ...resting('sell')], [])
})

t.test('FOK trades all or touches nothing', async (t) => {
  const { place, effects, resting } = open()
  place('s1', ann, 'sell', 2, 100)
  place('s2', cas, 'sell', 2, 101)
  effects.take()
  t.strictSame(brief(place('f1', ben, 'buy', 5, 101, { timeInForce: 'FOK' })), ['cancelled', 'fok_unfillable', 0, 0n])
  t.strictSame(brief(place('f2', ben, 'buy', 3, 100, { timeInForce: 'FOK' })), ['cancelled', 'fok_unfillable', 0, 0n])
  t.strictSame(resting('sell'), ['s1 2@100', 's2 2@101'])
  t.equal(effects.sent.length, 2, 'nothing but two closed orders')
  // Cas has enough opposite, but would meet her own order before all of it.
  t.strictSame(brief(place('f3', cas, 'buy', 3, 101, { timeInForce: 'FOK' })), ['cancelled', 'fok_unfillable', 0, 0n])
  t.strictSame(brief(place('f4', cas, 'buy', 2, 101, { timeInForce: 'FOK' })), ['filled', 'filled', 2, 400n])
})

t.test('a buy by budget takes whole lots, best first, and never spends more', async (t) => {
  const { place, resting } = open()
  place('s1', ann, 'sell', 2, 100)
  place('s2', ann, 'sell', 2, 150)
  const spend = (units: bigint): Partial<Place> => ({ spend: units as Amount, timeInForce: 'IOC', mayRest: false })
  t.strictSame(brief(place('m0', ben, 'buy', 0, 0, spend(199n))), ['cancelled', 'no_liquidity', 0, 0n], 'too little for one lot')
  t.strictSame(brief(place('m1', ben, 'buy', 0, 0, spend(699n))), ['filled', 'filled', 2, 400n], 'the next level is too dear for one lot')
  t.strictSame(brief(place('m2', ben, 'buy', 0, 0, spend(301n))), ['filled', 'filled', 1, 300n])
  t.strictSame(brief(place('m3', ben, 'buy', 0, 0, spend(900n))), ['cancelled', 'no_liquidity', 1, 300n], 'money left, nothing to buy')
  t.strictSame(resting('sell'), [])
})

t.test('a buy by budget is no larger than the largest order of the market', async (t) => {
  const { place, resting } = open()
  place('s1', ann, 'sell', 1_000, 1)
  place('s2', ann, 'sell', 1_000, 1)
  const outcome = place('m', ben, 'buy', 0, 0, { spend: (2n ** 53n) as Amount, timeInForce: 'IOC', mayRest: false })
  t.strictSame(brief(outcome), ['filled', 'filled', 1_000, 2_000n])
  t.strictSame(resting('sell'), ['s2 1000@1'])
})

t.test('of two orders of one account that would meet, the newer ends there', async (t) => {
  const { place, resting } = open()
  place('s1', cas, 'sell', 1, 99)
  place('s2', ann, 'sell', 1, 100)
  place('s3', cas, 'sell', 1, 101)
  t.strictSame(brief(place('b', ann, 'buy', 3, 101)), ['cancelled', 'self_trade', 1, 198n])
  t.strictSame(resting('sell'), ['s2 1@100', 's3 1@101'])
  t.strictSame(resting('buy'), [])
  t.strictSame(brief(place('b2', ann, 'buy', 1, 99)), ['open', null, 0, 0n], 'orders of one account that do not meet may both rest')
})

t.test('orders expire while they rest, at the first tick at or after their time', async (t) => {
  const { machine, place, effects, cancel } = open()
  const seconds = START / 1000
  place('s1', ann, 'sell', 1, 100, { timeInForce: 'GTD', expires: (seconds + 20) as Seconds })
  place('s2', ann, 'sell', 1, 101, { timeInForce: 'GTC', expires: (seconds + 10) as Seconds })
  t.equal(machine.deadline(), START + 10_000)
  effects.take()
  effects.time = (START + 9_999) as Recorder['time']
  machine.advance(effects)
  t.strictSame(effects.sent, [])
  effects.time = (START + 20_000) as Recorder['time']
  machine.advance(effects)
  const to = vaultOf(ann, 4)
  t.strictSame(effects.sent, [
    { to, message: { kind: 'closed', order: 's2', account: ann, reason: 'expired', time: START + 20_000 } },
    { to, message: { kind: 'closed', order: 's1', account: ann, reason: 'expired', time: START + 20_000 } },
  ])
  t.equal(machine.deadline(), null)
  t.equal(cancel('s1', ann), 'order_not_open')
  const late = place('s3', ann, 'sell', 1, 100, { expires: (seconds + 20) as Seconds })
  t.strictSame(brief(late), ['expired', 'expired', 0, 0n], 'one that took longer than it had to live does not trade')
})

t.test('a cancel gives back what rests, with what was filled', async (t) => {
  const { place, cancel, resting } = open()
  place('s1', ann, 'sell', 5, 100)
  place('s2', ann, 'sell', 5, 100)
  place('s3', ann, 'sell', 5, 100)
  place('b', ben, 'buy', 2, 100)
  t.equal(cancel('s1', ben), 'order_not_open', 'not the order of that account')
  t.strictSame(brief(cancel('s2', ann) as PairOutcome), ['cancelled', 'cancelled', 0, 0n])
  t.strictSame(resting('sell'), ['s1 3@100', 's3 5@100'])
  t.strictSame(brief(cancel('s1', ann) as PairOutcome), ['cancelled', 'cancelled', 2, 400n])
  t.equal(cancel('s1', ann), 'order_not_open')
  t.equal(cancel('b', ben), 'order_not_open')
  t.strictSame(resting('sell'), ['s3 5@100'])
})

t.test('a full market takes only what trades at once, whole', async (t) => {
  const { place, resting } = open(2)
  place('s1', ann, 'sell', 2, 100)
  place('s2', ann, 'sell', 2, 101)
  t.strictSame(brief(place('s3', ann, 'sell', 1, 102)), ['rejected', 'market_full', 0, 0n])
  t.strictSame(brief(place('b1', ben, 'buy', 3, 100)), ['rejected', 'market_full', 0, 0n], 'before the first fill')
  t.strictSame(brief(place('b2', ben, 'buy', 2, 100)), ['filled', 'filled', 2, 400n])
  t.strictSame(brief(place('b3', ben, 'buy', 1, 100)), ['open', null, 0, 0n])
  t.strictSame([...resting('buy'), ...resting('sell')], ['b3 1@100', 's2 2@101'])
})

/** An order id as traders have them, for what is stored. */
const id = (digit: string): string => digit.repeat(64)

t.test('a tape prints what was traded when its time has come, and nothing where it is off', async (t) => {
  const { machine, effects, place } = open()
  place(id('a'), ann, 'sell', 30, 100)
  place(id('b'), ben, 'buy', 7, 100)
  const rules = { delay_s: 10, roundLots: 5 as Lots, roundTicks: 1 as Ticks }
  t.equal(machine.deadline(), START + 60_000, 'the order’s expiry')
  machine.local({ kind: 'tape', rules })
  t.strictSame(machine.tapeRules, rules)
  place(id('c'), cas, 'buy', 12, 100)
  place(id('d'), ben, 'buy', 4, 100)
  t.equal(machine.deadline(), START + 20_000, 'the end of its interval, and as long again')
  const again = new PairMachine(marketOf(venue, AQ), venue)
  again.restore(machine.snapshot())
  t.strictSame(again.tapeRules, rules)
  effects.take()
  for (const one of [machine, again]) {
    effects.time = (START + 19_999) as Milliseconds
    one.advance(effects)
    t.strictSame(effects.take().feed, [])
    effects.time = (START + 20_000) as Milliseconds
    one.advance(effects)
    const [from, until] = [START, START + 10_000].map((time) => new Date(time).toISOString())
    t.strictSame(effects.take().feed, [{ v: 1, seq: 1, market: AQ, type: 'print', from, until, price: '2', quantity: '10' }], 'what was traded before there was a tape is not in it')
  }
  t.strictSame(Buffer.from(machine.snapshot()), Buffer.from(again.snapshot()))
})

t.test('a snapshot of another version, or one that lacks a name, is refused', async (t) => {
  const { machine, place } = open()
  place(id('a'), ann, 'sell', 3, 100)
  const stored = decode<Record<string, unknown> & { readonly ids: Uint8Array; readonly created: Uint8Array }>(machine.snapshot())
  const restore = (changed: object) => () => new PairMachine(marketOf(venue, AQ), venue).restore(encode({ ...stored, ...changed }))
  t.doesNotThrow(restore({}))
  t.throws(restore({ version: 4 }), /version 4; 5 is known/)
  t.throws(restore({ ids: stored.ids.subarray(1) }), /does not name all of its orders/)
  t.throws(restore({ created: new Uint8Array(16) }), /does not name all of its orders/)
  t.throws(restore({ accounts: [] }), /does not name all of its accounts/)
})

t.test('what must never happen stops the actor', async (t) => {
  const { machine, place, effects } = open()
  place('s', ann, 'sell', 1, 100)
  t.throws(() => place('x', ann, 'sell', 1, 100, { number: 0 }), /an order is numbered/)
  t.throws(() => place('x', ann, 'sell', 1, 100, { number: 2 ** 47 }), /an order is numbered/)
  const stranger = vaultActor((Number(vaultOf(ann, 4).slice(6)) + 1) % 4)
  const message: PairMessage = { kind: 'cancel', order: 's' as OrderId, number: 1, account: ann, reply: null }
  t.throws(() => machine.message(stranger, message, effects), /only the vault actor that owns an account/)
})

t.test('gateways get no answer from a market but a refusal', async (t) => {
  const { machine, effects } = open()
  machine.command({} as never, { gateway: 'g', request: 1 }, effects)
  t.strictSame(effects.answers, [{ request: 1, answer: { refused: 'request_malformed' } }])
  t.strictSame(machine.query({} as never), { refused: 'request_malformed' })
})
