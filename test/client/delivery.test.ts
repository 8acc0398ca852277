import fc from 'fast-check'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { OutcomeUnknown, Refused } from '../../src/client/errors.ts'
import { idOf } from '../../src/client/messages.ts'
import type { NewOrder } from '../../src/client/messages.ts'
import { messageId } from '../../src/protocol/messages/messageId.ts'
import type { CancelOrder, PlaceOrder } from '../../src/protocol/vault.ts'
import { marketName, resting } from '../gateway/fakeVault.ts'
import { openStage, trader } from '../gateway/stage.ts'
import { HostileWay } from './hostileWay.ts'
import type { Mischief } from './hostileWay.ts'
import { MoodyVault } from './moodyVault.ts'
import type { Mood } from './moodyVault.ts'

// What the client says became of a message, against what did, with somebody on the way who cuts, holds and lies.

t.setTimeout(280_000)
const stage = await openStage({ answerTimeout_ms: 500 })
const way = await HostileWay.open(stage.url)
t.teardown(async () => {
  await way.close()
  await stage.close()
})
/** A slow machine may take long for an attempt; it must not make the client give up. */
const patient = { timeout_ms: 120_000 }
const client = await Client.open(way.url, trader('alice'), patient)
const order: NewOrder = { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' }

const vault = new MoodyVault()

t.beforeEach(() => {
  vault.moods = []
  stage.vault.script = vault.script
})

const mischief = fc.constantFrom<Mischief>('pass', 'cutBefore', 'cutAfter', 'hold', 'half', 'garbage', 'away')
const ways = fc.record({
  plan: fc.array(mischief, { maxLength: 3 }),
  moods: fc.array(fc.constantFrom<Mood>('takes', 'poor', 'busy', 'silent'), { maxLength: 3 }),
  retry: fc.boolean(),
})

t.test('one order: what is said is what happened', async () => {
  await fc.assert(
    fc.asyncProperty(ways, async ({ plan, moods: asked, retry }) => {
      const signed = await client.signOrder(marketName, order)
      const from = way.seen.length
      way.plan.splice(0, Infinity, ...plan)
      vault.moods = [...asked]
      const said = await client.sendOrder(signed, { retry }).then((view) => ({ order: view }), (error: unknown) => ({ error: error as Refused }))
      way.plan.length = 0
      await way.release()
      vault.hold(said, signed)
      const sent = way.seen.slice(from)
      if (new Set(sent).size > 1) throw new Error('the bytes changed')
      if (!retry && sent.length > 1) throw new Error('sent again without leave')
    }),
    { numRuns: 40 },
  )
})

t.test('a batch: each of it', async () => {
  await fc.assert(
    fc.asyncProperty(ways, async ({ plan, moods: asked, retry }) => {
      const signed = await Promise.all([1, 2, 3].map(() => client.signOrder(marketName, order)))
      way.plan.splice(0, Infinity, ...plan)
      vault.moods = [...asked]
      const results = await client.sendOrders(signed, { retry })
      way.plan.length = 0
      await way.release()
      if (results.length !== signed.length) throw new Error('one result for each')
      for (const [n, said] of results.entries()) vault.hold(said, signed[n]!)
    }),
    { numRuns: 30 },
  )
})

t.test('each fault by itself', async (t) => {
  const cases: [Mischief[], Mood[], string][] = [
    [['cutBefore'], [], 'open'],
    [['cutAfter'], [], 'open'],
    [['half', 'garbage', 'away'], [], 'open'],
    [['hold'], [], 'open'],
    [[], ['busy', 'busy'], 'open'],
    [[], ['silent'], 'open'],
    [[], ['poor'], 'Refused funds_insufficient'],
    // The copy that is held may come when there are funds.
    [['hold'], ['poor'], 'OutcomeUnknown funds_insufficient'],
    [['cutAfter'], ['poor', 'poor'], 'OutcomeUnknown funds_insufficient'],
  ]
  for (const [plan, asked, expected] of cases) {
    const signed = await client.signOrder(marketName, order)
    way.plan.splice(0, Infinity, ...plan)
    vault.moods = [...asked]
    const said = await client.sendOrder(signed).then(
      ({ status }) => status,
      (error: Error) => `${error.name} ${((error instanceof Refused ? error : error.cause) as Refused).code}`,
    )
    t.equal(said, expected, `${plan.join()} ${asked.join()}`)
    await way.release()
    vault.hold(said === 'open' ? { order: { id: messageId(signed.message) } } : { error: said.startsWith('Refused') ? new Refused({} as never) : new OutcomeUnknown(null, { request: signed }) }, signed)
  }
})

t.test('a message that can never be taken is refused, whatever happened to its copies', async (t) => {
  way.plan.splice(0, Infinity, 'cutAfter')
  const signed = await client.signOrder(marketName, { ...order, price: '0.00001' })
  await t.rejects(client.sendOrder(signed), { name: 'Refused', code: 'price_off_tick' })
})

t.test('a cancel that did it before its answer was lost is told as done; one that came too late as refused', async (t) => {
  const id = 'ab'.repeat(32)
  const found = (reason: string) => ({ id, account: client.binding.account, market: marketName, status: reason, reason, filledLots: 4, filledQuote: 480n, updated: 7 })
  const script = (reason: string): void => {
    let cancelled = false
    stage.vault.script = (asked) => {
      if (cancelled) return { answer: { refused: 'order_not_open', found: found(reason) } as never }
      cancelled = true
      return { answer: { ok: { ...found(reason), id: (asked as CancelOrder).order } } }
    }
  }
  script('cancelled')
  way.plan.splice(0, Infinity, 'cutAfter')
  t.match(await client.cancelOrder(id), { id, status: 'cancelled', filledQuantity: '4' })
  await t.rejects(client.cancelOrder(id), { name: 'Refused', code: 'order_not_open' }, 'the first copy of another cancel: this one did nothing')
  script('filled')
  way.plan.splice(0, Infinity, 'cutAfter')
  await t.rejects(client.cancelOrder(id), { name: 'Refused', code: 'order_not_open', order: { status: 'filled' } })
  script('cancelled')
  way.plan.splice(0, Infinity, 'cutAfter')
  t.match(await client.cancelOrders([id]), [{ order: { id, status: 'cancelled' } }])
})

t.test('a halted market is not waited for', async (t) => {
  stage.vault.script = () => ({ answer: { refused: 'market_halted' } })
  await t.rejects(client.cancelOrder('ab'.repeat(32)), { name: 'Refused', code: 'market_halted' })
})

t.test('what ends a call says what was sent by then', async (t) => {
  const reason = new Error('changed my mind')
  const before = way.seen.length
  await t.rejects(client.placeOrder(marketName, order, { signal: AbortSignal.abort(reason) }), { name: 'NeverSent', cause: reason })
  t.match(await client.placeOrders(marketName, [order], { signal: AbortSignal.abort(reason) }), [{ error: { name: 'NeverSent', cause: reason } }])
  await t.rejects(client.balances({ signal: AbortSignal.abort(reason) }), { name: 'NeverSent' })
  t.equal(way.seen.length, before)

  const ending = new AbortController()
  stage.vault.script = () => {
    ending.abort(reason)
    return null
  }
  const failed = await client.placeOrder(marketName, order, { signal: ending.signal }).catch((error: unknown) => error as OutcomeUnknown)
  t.match(failed, { name: 'OutcomeUnknown', cause: reason, request: { message: { action: 'order' } } })
  stage.vault.script = (asked) => resting(asked as PlaceOrder)
  const { request } = failed as OutcomeUnknown
  t.equal((await client.sendOrder(request!)).id, idOf(request!.message), 'and can be asked for with the very same message')

  stage.vault.script = () => null
  await t.rejects(client.placeOrder(marketName, order, { timeout_ms: 300 }), { name: 'OutcomeUnknown' }, 'its time was over')
  await t.rejects(Client.open(way.url, trader('alice'), { signal: AbortSignal.abort(reason) }), { name: 'NeverSent' })
})

t.test('an expired message is not sent over and over', async (t) => {
  const signed = await client.signOrder(marketName, order, { expires: Math.floor(Date.now() / 1000) - 5 })
  const before = way.seen.length
  way.plan.splice(0, Infinity, 'cutBefore', 'cutBefore')
  await t.rejects(client.sendOrder(signed), { name: 'OutcomeUnknown' })
  t.equal(way.seen.length, before + 1)
  way.plan.length = 0
  await t.rejects(client.sendOrder(signed), { name: 'Refused', code: 'message_expired' })
})

t.test('nobody there: never sent, for a batch too', async (t) => {
  const gone = await HostileWay.open(stage.url)
  const own = await Client.open(gone.url, trader('alice'), { timeout_ms: 300 })
  await gone.close()
  // Whoever uses a connection that was kept cannot know yet.
  await t.rejects(own.time({ retry: false }))
  await t.rejects(own.placeOrder(marketName, order), { name: 'NeverSent', request: { message: { action: 'order' } } })
  t.match(await own.placeOrders(marketName, [order, order]), [{ error: { name: 'NeverSent' } }, { error: { name: 'NeverSent' } }])
})

t.test('reads are asked again after a cut; connections are kept', async (t) => {
  stage.vault.script = () => ({ answer: { ok: [] } })
  await client.balances()
  const before = way.connections
  for (let n = 0; n < 20; n++) await client.balances()
  t.ok(way.connections - before <= 1, 'twenty reads, one connection')
})

t.test('the id that a browser counts is the one that the venue gives', async (t) => {
  const { message } = await client.signOrder(marketName, order)
  t.equal(idOf(message), messageId(message))
})
