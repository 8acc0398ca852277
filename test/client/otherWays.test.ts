import { connect } from '@nats-io/transport-node'
import fc from 'fast-check'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { NeverSent } from '../../src/client/errors.ts'
import type { NewOrder } from '../../src/client/messages.ts'
import { keyAccess } from '../../src/client/natsAccess.ts'
import { NatsTransport } from '../../src/client/natsTransport.ts'
import { orderEntryOf } from '../../src/client/orderEntry.ts'
import { StreamTransport } from '../../src/client/streamTransport.ts'
import { fetchTransport } from '../../src/client/transport.ts'
import type { Transport } from '../../src/client/transport.ts'
import type { Milliseconds } from '../../src/protocol/identity.ts'
import type { CancelOrder } from '../../src/protocol/vault.ts'
import { marketName } from '../gateway/fakeVault.ts'
import { trader } from '../gateway/stage.ts'
import { startProxy } from '../nats/proxy.ts'
import type { Proxy } from '../nats/proxy.ts'
import { until } from '../settlement/waiting.ts'
import { keypairFor, openSubscriberStage } from '../subscribers/stage.ts'
import { MoodyVault } from './moodyVault.ts'
import type { Mood } from './moodyVault.ts'

// Order entry over a WebSocket and over NATS: the same calls, results and errors as over HTTP, over lines that are cut, muted and deafened.

t.setTimeout(240_000)
const stage = await openSubscriberStage(undefined, undefined, { answerTimeout_ms: 500 })
const lines = { stream: await startProxy(Number(new URL(stage.url).port)), nats: await startProxy(stage.nats.port) }
/** What is no order entry goes by HTTP, and nothing that is. */
const others: Transport = {
  carry: (outgoing) => (orderEntryOf(outgoing) === null ? fetchTransport.carry(outgoing) : Promise.reject(new Error('order entry by HTTP'))),
}
const straight = await Client.open(stage.url, trader('alice'))
const client = await Client.open(stage.url, trader('alice'), { timeout_ms: 120_000 })
const access = keyAccess(keypairFor('alice').secret())
const stream = new StreamTransport(lines.stream.url.replace('nats:', 'http:'), { others })
const connection = await connect({ servers: lines.nats.url, timeout: 20_000, ...access.options })
const nats = new NatsTransport(connection, 'local', access, { others })
t.teardown(async () => {
  stream.close()
  await connection.close()
  await Promise.all(Object.values(lines).map((line) => line.stop()))
  await stage.close()
})
const ways: readonly (readonly [name: string, client: Client, line: Proxy])[] = [
  ['a WebSocket', client.over(stream), lines.stream],
  ['NATS', client.over(nats), lines.nats],
]
const order: NewOrder = { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' }
const id = 'ab'.repeat(32)
const vault = new MoodyVault()
t.beforeEach(() => {
  vault.moods = []
  stage.vault.script = vault.script
})

for (const [name, other, line] of ways) {
  t.test(`over ${name}: every call of order entry comes to what it comes to over HTTP`, async (t) => {
    const signed = await straight.signOrder(marketName, order)
    t.strictSame(await other.sendOrder(signed), await straight.sendOrder(signed))
    const batch = [await straight.signOrder(marketName, order), await straight.signOrder(marketName, { ...order, price: '0.00001' })]
    const [over, by] = [await other.sendOrders(batch), await straight.sendOrders(batch)]
    t.match(over, [{ order: { status: 'open' } }, { error: { name: 'Refused', code: 'price_off_tick' } }])
    t.strictSame(over[0], by[0])

    const found = { id, account: client.binding.account, market: marketName, status: 'cancelled', reason: 'cancelled', filledLots: 4, filledQuote: 480n, updated: 7 as Milliseconds }
    stage.vault.script = (asked) => ({ answer: { ok: { ...found, id: (asked as CancelOrder).order } } })
    const cancel = await straight.signCancel(id)
    t.strictSame(await other.sendCancel(cancel), await straight.sendCancel(cancel))
    t.match(await other.cancelOrders([id]), [{ order: { id, status: 'cancelled', filledQuantity: '4' } }])
    const byClientId = await straight.signCancelByClientId('mine')
    stage.vault.script = () => ({ answer: { ok: found } })
    t.strictSame(await other.sendCancel(byClientId), await straight.sendCancel(byClientId))
    stage.vault.script = () => ({ answer: { ok: { amended: { ...found, status: 'open', reason: null, ticks: 1200, lots: 50 }, waiting: false } } })
    const amend = await straight.signAmend(id, '0.12', '50')
    t.strictSame(await other.sendAmend(amend), await straight.sendAmend(amend))
    stage.vault.script = (asked) => ({ answer: { ok: { id: (asked as { id: string }).id, cancelled: 3, markets: [], halted: [] } } })
    const all = await straight.signCancelAll()
    t.strictSame(await other.sendCancelAll(all), await straight.sendCancelAll(all))
    stage.vault.script = () => ({ answer: { ok: { signer: client.binding.account, timeout_ms: 30_000, deadline: 1_700_000_000_000, waiting: [] } } })
    const timer = await straight.signDeadMan(30)
    t.strictSame(await other.sendDeadMan(timer), await straight.sendDeadMan(timer))
    stage.vault.script = () => ({ answer: { ok: [] } })
    t.strictSame(await other.balances(), [], 'and reads go as they went')
  })

  t.test(`over ${name}: refused, unknown and never sent`, async (t) => {
    vault.moods = ['poor']
    await t.rejects(other.placeOrder(marketName, order), { name: 'Refused', code: 'funds_insufficient', status: 422 })
    vault.moods = ['busy', 'busy']
    t.match(await other.placeOrder(marketName, order), { status: 'open' }, 'what may pass is asked again')
    vault.moods = ['silent']
    await t.rejects(other.placeOrder(marketName, order, { retry: false }), { name: 'OutcomeUnknown', cause: { code: 'outcome_unknown' }, request: { message: { action: 'order' } } })
    stage.vault.script = () => null
    await t.rejects(other.placeOrder(marketName, order, { timeout_ms: 200 }), { name: 'OutcomeUnknown' }, 'its time was over')
    const reason = new Error('changed my mind')
    await t.rejects(other.placeOrder(marketName, order, { signal: AbortSignal.abort(reason) }), { name: 'NeverSent', cause: reason })
    line.refuse(true)
    line.cut()
    await until('nobody is there', async () => (await other.placeOrder(marketName, order, { retry: false, timeout_ms: 1_000 }).catch((error: unknown) => error)) instanceof NeverSent)
    line.refuse(false)
    stage.vault.script = vault.script
    t.match(await other.placeOrder(marketName, order), { status: 'open' }, 'and back')
  })

  t.test(`over ${name}: what is said is what happened, whatever happens on the way`, async () => {
    const mischief = fc.constantFrom('pass', 'cutBefore', 'cutSoon', 'mute', 'deafen', 'gone')
    const moods = fc.array(fc.constantFrom<Mood>('takes', 'poor', 'busy', 'silent'), { maxLength: 3 })
    const told: (() => void)[] = []
    await fc.assert(
      fc.asyncProperty(mischief, moods, fc.boolean(), fc.integer({ min: 0, max: 8 }), async (what, asked, retry, wait_ms) => {
        const signed = await Promise.all([1, 2].map(() => client.signOrder(marketName, order)))
        vault.moods = [...asked]
        if (what === 'cutBefore' || what === 'gone') line.cut()
        line.refuse(what === 'gone')
        line.mute(what === 'mute')
        line.deafen(what === 'deafen')
        const sending = Promise.all([other.sendOrder(signed[0]!, { retry }).then((view) => ({ order: view }), (error: unknown) => ({ error: error as NeverSent })), other.sendOrders([signed[1]!], { retry })])
        if (what !== 'pass' && what !== 'cutBefore') {
          await delay(wait_ms)
          line.cut()
          line.refuse(false)
          line.mute(false)
          line.deafen(false)
        }
        const [one, [two]] = await sending
        for (const [n, said] of [one, two!].entries()) {
          vault.hold(said, signed[n]!)
          told.push(() => vault.hold(said, signed[n]!))
        }
      }),
      { numRuns: 25 },
    )
    // What was still on its way by then has come.
    for (const hold of told) hold()
  })
}

t.test('a transport that was closed carries nothing more', async (t) => {
  const own = new StreamTransport(stage.url)
  await client.over(own).placeOrder(marketName, order)
  own.close()
  await t.rejects(client.over(own).placeOrder(marketName, order), { name: 'NeverSent', passing: false })
  const none = (): never => {
    throw new Error('this platform has no WebSocket')
  }
  const elsewhere = new StreamTransport(stage.url, { openSocket: none })
  await t.rejects(client.over(elsewhere).placeOrder(marketName, order), { name: 'NeverSent', passing: false })
  const access = keyAccess(keypairFor('alice').secret())
  const ended = await connect({ servers: stage.nats.url, timeout: 20_000, ...access.options })
  await ended.close()
  await t.rejects(client.over(new NatsTransport(ended, 'local', access)).placeOrder(marketName, order), { name: 'NeverSent', passing: false })
})

t.test('cancel on disconnect is in force before anything is sent, on every connection, and for as long as it stands', async (t) => {
  const heard: string[] = []
  let refuse = false
  stage.vault.script = (asked) => {
    heard.push(asked.kind === 'presence' ? (asked.cancel ? 'gone' : 'there') : asked.kind)
    return asked.kind === 'presence' ? { answer: refuse ? { refused: 'timers_exceeded' } : { ok: {} } } : vault.script(asked)
  }
  const watched = new StreamTransport(lines.stream.url.replace('nats:', 'http:'), { cancelOnDisconnect: (challenge) => client.signLogin(challenge) })
  t.teardown(() => watched.close())
  const trading = client.over(watched)
  await trading.placeOrder(marketName, order)
  t.same(heard, ['there', 'place'])
  lines.stream.cut()
  await until('its end is told', () => heard.includes('gone'))
  await trading.placeOrder(marketName, order)
  t.same(heard, ['there', 'place', 'gone', 'there', 'place'])
  lines.stream.cut()
  await until('the second end is told', () => heard.length === 6)
  refuse = true
  await t.rejects(trading.placeOrder(marketName, order), { name: 'NeverSent', passing: false, cause: { code: 'timers_exceeded' } }, 'not without it')
  t.same(heard.slice(6), ['there'])
})
