import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { settlementActor } from '../../src/protocol/subjects.ts'
import { until } from '../settlement/waiting.ts'
import { call, refused } from './call.ts'
import { openStage, trader } from './stage.ts'

t.test('a venue whose journals are older than the chain takes nothing but what takes risk away, until that is over', async (t) => {
  const stage = await openStage()
  t.teardown(() => stage.close())
  const client = await Client.open(stage.url, trader('alice'))
  const order = () => client.signOrder('XLM-USDC', { side: 'sell', type: 'limit', price: '0.9', quantity: '5', timeInForce: 'GTC' })
  const [id, settlement] = ['ab'.repeat(32), [settlementActor(0)]]
  // Those who were heard before the disk was set back had come to a higher epoch.
  await stage.vault.say(stage.venue.actors, 'running', 7)
  await stage.vault.say(settlement, 'running', 3, [{ kind: 'chain_diverged' }])
  await until('the gateway has heard', () => stage.gateway.owners.diverged)

  refused(t, await call(stage.url, 'POST', '/api/v1/orders', await order()), 'chain_diverged')
  refused(t, await call(stage.url, 'PUT', `/api/v1/orders/${id}`, await client.signAmend(id, '0.9', '6')), 'chain_diverged')
  refused(t, await call(stage.url, 'POST', '/api/v1/withdrawals', await client.signWithdrawal('XLM', '1')), 'chain_diverged')
  refused(t, await call(stage.url, 'POST', '/api/v1/keys', await client.signDelegation(trader('bot').address, { scope: 'trade', until: 2_000_000_000 })), 'chain_diverged')
  t.match(await call(stage.url, 'POST', '/api/v1/orders/batch', { messages: [await order()] }), { json: { results: [{ status: 503, problem: { code: 'chain_diverged' } }] } })
  t.equal(stage.vault.packets.length, 0, 'no keeper of an account has heard of it')
  stage.vault.script = () => ({ answer: { refused: 'order_unknown' } })
  refused(t, await call(stage.url, 'DELETE', `/api/v1/orders/${id}`, await client.signCancel(id)), 'order_unknown')
  t.match(await call(stage.url, 'GET', '/ready'), { status: 503, json: { ready: false, missing: ['chain'] } })

  // What replays says nothing of the chain yet, nor does an owner that was replaced.
  await stage.vault.say(settlement, 'replaying', 7)
  await stage.vault.say(settlement, 'running', 3)
  await stage.vault.say(settlement, 'running', 7, [{ kind: 'chain_diverged' }])
  await stage.vault.say(settlement, 'running', 6)
  t.match(await call(stage.url, 'GET', '/ready'), { status: 503 })
  t.ok(stage.gateway.owners.diverged)
  await stage.vault.say(settlement, 'running', 8)
  await until('that is over', () => !stage.gateway.owners.diverged)
  stage.vault.script = () => ({ answer: { refused: 'funds_insufficient' } })
  refused(t, await call(stage.url, 'POST', '/api/v1/orders', await order()), 'funds_insufficient', 'an order goes its way')
})
