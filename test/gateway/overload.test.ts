import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { call, refused } from './call.ts'
import { resting } from './fakeVault.ts'
import { openStage, trader } from './stage.ts'

// Many times as many orders as their keeper answers, sent without waiting for answers.

const ORDERS = 400
const CANCELS = 40
const IN_FLIGHT = 32

t.test('what is too much is refused early, cancels pass, and every order that was taken is answered', async (t) => {
  const stage = await openStage({ inFlight: IN_FLIGHT, answerTimeout_ms: 60_000 })
  t.teardown(() => stage.close())
  const client = await Client.open(stage.url, trader('alice'), { retry: false })
  const line: (() => void)[] = []
  let highest = 0
  stage.vault.script = (asked) => {
    highest = Math.max(highest, stage.gateway.admission.inFlight)
    if (asked.kind !== 'place') return { answer: { refused: 'order_unknown' } }
    line.push(stage.vault.later(asked, resting(asked)))
    return null
  }
  const slow = setInterval(() => line.shift()?.(), 10)
  t.teardown(() => clearInterval(slow))
  const id = 'ab'.repeat(32)
  const orders = await Promise.all(Array.from({ length: ORDERS }, () => client.signOrder('XLM-USDC', { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })))
  const cancels = await Promise.all(Array.from({ length: CANCELS }, () => client.signCancel(id)))
  const answers = []
  const cancelled = []
  for (const [n, order] of orders.entries()) {
    answers.push(call(stage.url, 'POST', '/api/v1/orders', order))
    // One cancel at a time: fewer than the places that are theirs alone.
    if (n % (ORDERS / CANCELS) === 0) cancelled.push(await call(stage.url, 'DELETE', `/api/v1/orders/${id}`, cancels[cancelled.length]))
    if (n % 10 === 0) await delay(1)
  }
  const results = await Promise.all(answers)
  for (const cancel of cancelled) refused(t, cancel, 'order_unknown', 'a cancel')
  const taken = results.filter(({ status }) => status === 201)
  const over = results.filter(({ status }) => status !== 201)
  for (const result of over) refused(t, result, 'venue_overloaded')
  t.ok(over.length > 0 && taken.length >= IN_FLIGHT / 2, `${taken.length} taken, ${over.length} refused`)
  const heard = stage.vault.heard.flatMap((asked) => (asked.kind === 'place' ? [asked.id as string] : []))
  t.strictSame(heard.toSorted(), taken.map(({ json }) => json.id as string).toSorted(), 'what was taken is answered, and nothing else was taken')
  t.ok(highest <= IN_FLIGHT)
  t.equal(stage.gateway.admission.inFlight, 0)
})
