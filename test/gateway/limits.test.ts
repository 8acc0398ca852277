import t from 'tap'
import type { Test } from 'tap'
import { Client } from '../../src/client/client.ts'
import type { SignedRequest } from '../../src/client/messages.ts'
import { encode } from '../../src/protocol/codec.ts'
import type { PlaceOrder, VaultCommand, VaultQuery } from '../../src/protocol/vault.ts'
import { call, refused } from './call.ts'
import type { Called } from './call.ts'
import { resting } from './fakeVault.ts'
import { openStage, trader } from './stage.ts'
import type { Stage } from './stage.ts'

const alice = trader('alice')
const sign = (client: Client): Promise<SignedRequest> => client.signOrder('XLM-USDC', { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
const post = (stage: Stage, body: unknown): Promise<Called> => call(stage.url, 'POST', '/api/v1/orders', body)

async function staged(t: Test, bounds: Parameters<typeof openStage>[0] = {}): Promise<{ stage: Stage; client: Client }> {
  const stage = await openStage(bounds)
  t.teardown(() => stage.close())
  return { stage, client: await Client.open(stage.url, alice, { retry: false }) }
}

/** Holds `count` orders back and lets the others through; resolves, when they are held, with what lets them go. */
function hold(stage: Stage, count: number): Promise<() => void> {
  const held: (() => void)[] = []
  return new Promise((resolve) => {
    stage.vault.script = (asked) => {
      if (held.length === count) return resting(asked as PlaceOrder)
      held.push(stage.vault.later(asked, resting(asked as PlaceOrder)))
      if (held.length === count) resolve(() => held.forEach((release) => release()))
      return null
    }
  })
}

t.test('beyond the in-flight limit a request is refused before its signature is looked at', async (t) => {
  const { stage, client } = await staged(t, { inFlight: 3, answerTimeout_ms: 60_000 })
  const held = hold(stage, 3)
  const waiting = await Promise.all(Array.from({ length: 3 }, () => sign(client)))
  const answers = waiting.map((request) => post(stage, request))
  const release = await held
  const wrong = { ...(await sign(client)), signature: Buffer.alloc(64).toString('base64') }
  const over = await post(stage, wrong)
  refused(t, over, 'venue_overloaded')
  t.equal(over.headers.get('retry-after'), '1')
  refused(t, await call(stage.url, 'GET', `/auth?account=${alice.address}`), 'venue_overloaded', 'a login is work too')
  t.equal((await call(stage.url, 'GET', '/health')).status, 200)
  release()
  for (const answer of answers) t.equal((await answer).status, 201, 'what was taken is answered')
  t.equal(stage.gateway.admission.inFlight, 0)
  t.equal((await post(stage, await sign(client))).status, 201, 'and taken again when there is room')
})

t.test('no answer in time: the outcome of a command is unknown, a query can be asked again', async (t) => {
  const { stage, client } = await staged(t, { answerTimeout_ms: 200 })
  await client.login()
  stage.vault.script = () => null
  refused(t, await post(stage, await sign(client)), 'outcome_unknown')
  await t.rejects(client.balances(), { name: 'Refused', code: 'account_unavailable' })
})

t.test('an answer that comes late, twice or for nobody changes nothing', async (t) => {
  const { stage, client } = await staged(t, { answerTimeout_ms: 200 })
  const seen: (VaultCommand | VaultQuery)[] = []
  stage.vault.script = (asked) => (seen.push(asked), null)
  refused(t, await post(stage, await sign(client)), 'outcome_unknown')
  const answer = resting(seen[0] as PlaceOrder)
  const packet = encode({ from: answer.from, answers: [1, 1, 99].map((request) => ({ request, answer: answer.answer })) })
  stage.vault.publish(stage.venue.subjects.answers(stage.gateway.name), packet)
  stage.vault.publish(stage.venue.subjects.answers(stage.gateway.name), Uint8Array.of(9, 9, 9))
  stage.vault.script = (asked) => resting(asked as PlaceOrder)
  t.equal((await post(stage, await sign(client))).status, 201)
  t.match(stage.log(), 'an answer packet could not be read')
})

t.test('nobody keeps the account: said at once, not after the time-out', async (t) => {
  const { stage, client } = await staged(t, { answerTimeout_ms: 60_000 })
  await client.login()
  await stage.vault.close()
  refused(t, await post(stage, await sign(client)), 'account_unavailable')
  await t.rejects(client.balances(), { code: 'account_unavailable' })
  await stage.vault.open()
  t.equal((await post(stage, await sign(client))).status, 201, 'and as soon as somebody does, it works')
})

t.test('nats-server gone and back', async (t) => {
  const { stage, client } = await staged(t, { answerTimeout_ms: 60_000 })
  const until = async (connected: boolean): Promise<void> => {
    while (stage.gateway.vaults.connected !== connected) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await stage.nats.kill()
  await until(false)
  refused(t, await post(stage, await sign(client)), 'account_unavailable')
  t.match(await call(stage.url, 'GET', '/ready'), { status: 503, json: { missing: ['nats', ...stage.venue.actors] } })
  await stage.nats.restart()
  await until(true)
  await stage.vault.connected()
  t.equal((await post(stage, await sign(client))).status, 201)
  t.equal(stage.gateway.admission.inFlight, 0)
})

t.test('draining: what was taken is answered, what comes is refused', async (t) => {
  const { stage, client } = await staged(t, { answerTimeout_ms: 60_000 })
  const held = hold(stage, 1)
  const answer = post(stage, await sign(client))
  const release = await held
  const drained = stage.gateway.admission.drain()
  refused(t, await post(stage, await sign(client)), 'venue_not_ready')
  t.match(await call(stage.url, 'GET', '/ready'), { status: 503, json: { missing: ['gateway', ...stage.venue.actors] } })
  release()
  t.equal((await answer).status, 201)
  await drained
  t.equal(stage.gateway.admission.inFlight, 0)
})

t.test('a vault that breaks its word is an internal error, without a word of the order in the log', async (t) => {
  const { stage, client } = await staged(t)
  stage.vault.script = (asked) => ({ ...resting(asked as PlaceOrder), answer: { ok: { order: 'ff'.repeat(32), secret: '0.12' } } })
  refused(t, await post(stage, await sign(client)), 'internal_error')
  t.equal(stage.gateway.admission.inFlight, 0)
  t.match(stage.log(), /"at":"submission#refusalOf".*"requestId":"gw_.*"message":"a request failed"/)
  t.notMatch(stage.log(), new RegExp(`${alice.address}|0\\.12|ffff`))
})
