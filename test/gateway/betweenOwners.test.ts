import t from 'tap'
import type { Test } from 'tap'
import { Client } from '../../src/client/client.ts'
import type { SignedRequest } from '../../src/client/messages.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { PlaceOrder } from '../../src/protocol/vault.ts'
import { call, refused } from './call.ts'
import type { Called } from './call.ts'
import { resting } from './fakeVault.ts'
import { openStage, trader } from './stage.ts'
import type { Stage } from './stage.ts'

// A vault actor goes from one owner to the next while orders come in.

const alice = trader('alice')
const vaults = ['vault.0', 'vault.1'] as ActorName[]
const sign = (client: Client): Promise<SignedRequest> => client.signOrder('XLM-USDC', { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
const post = (stage: Stage, body: SignedRequest): Promise<Called> => call(stage.url, 'POST', '/api/v1/orders', body)

async function staged(t: Test, answerTimeout_ms: number): Promise<{ stage: Stage; client: Client }> {
  const stage = await openStage({ answerTimeout_ms })
  t.teardown(() => stage.close())
  const client = await Client.open(stage.url, alice)
  await runs(stage, 1)
  return { stage, client }
}

/** The vault actors say that they run, and the gateway has heard it. */
async function runs(stage: Stage, epoch: number): Promise<void> {
  await stage.vault.say(vaults, 'running', epoch)
  while (vaults.some((actor) => stage.gateway.owners.missing(Date.now()).includes(actor))) await stage.vault.connected()
}

const heard = async (stage: Stage, count: number): Promise<void> => {
  while (stage.vault.heard.length < count) await new Promise((resolve) => setTimeout(resolve, 5))
}

const requests = (stage: Stage): number[] => stage.vault.packets.flatMap(({ items }) => items.map(({ request }) => request))

t.test('what a draining owner does not take goes to the next one, with the number that it has', async (t) => {
  const { stage, client } = await staged(t, 60_000)
  stage.vault.script = () => ({ answer: { refused: 'venue_not_ready' } })
  const answers = Array.from({ length: 3 }, async () => post(stage, await sign(client)))
  await heard(stage, 3)
  stage.vault.script = (asked) => resting(asked as PlaceOrder)
  await stage.vault.say(vaults, 'draining', 1)
  await stage.vault.say(vaults, 'running', 2)
  for (const answer of answers) t.equal((await answer).status, 201)
  const sent = requests(stage)
  t.equal(sent.length, 6)
  t.equal(new Set(sent).size, 3)
})

t.test('where nobody listens between two owners, an order waits', async (t) => {
  const { stage, client } = await staged(t, 60_000)
  await stage.vault.close()
  const answer = post(stage, await sign(client))
  await t.resolves(Promise.race([answer.then(() => Promise.reject(new Error('it did not wait'))), new Promise((resolve) => setTimeout(resolve, 200))]))
  await stage.vault.open()
  await stage.vault.say(vaults, 'running', 2)
  t.equal((await answer).status, 201)
})

t.test('what the last owner left without an answer is sent to the new one, once; an owner of before is not listened to', async (t) => {
  const { stage, client } = await staged(t, 60_000)
  stage.vault.script = () => null
  const answer = post(stage, await sign(client))
  await heard(stage, 1)
  await stage.vault.say(vaults, 'running', 1)
  await stage.vault.say(vaults, 'running', 2)
  await heard(stage, 2)
  await stage.vault.say(vaults, 'running', 2)
  await stage.vault.say(vaults, 'running', 1)
  await stage.vault.say(vaults, 'stopped', 1)
  stage.vault.script = (asked) => resting(asked as PlaceOrder)
  await stage.vault.say(vaults, 'running', 3)
  t.equal((await answer).status, 201)
  t.same(requests(stage), [1, 1, 1])
  t.notOk(stage.gateway.owners.missing(Date.now()).includes(vaults[0]!))
})

t.test('an order that no owner came for was not taken; one that an owner may have taken is in doubt', async (t) => {
  const { stage, client } = await staged(t, 300)
  stage.vault.script = () => ({ answer: { refused: 'venue_not_ready' } })
  refused(t, await post(stage, await sign(client)), 'account_unavailable')
  stage.vault.script = () => null
  const answer = post(stage, await sign(client))
  await heard(stage, 2)
  stage.vault.script = () => ({ answer: { refused: 'venue_not_ready' } })
  await stage.vault.say(vaults, 'running', 2)
  refused(t, await answer, 'outcome_unknown')
})

t.test('orders that the last owner of their market left without an answer are asked for again; those of other markets are left alone', async (t) => {
  const { stage, client } = await staged(t, 60_000)
  const pair = ['pair.XLM-USDC'] as ActorName[]
  await stage.vault.say(pair, 'running', 1)
  stage.vault.script = () => null
  const answer = post(stage, await sign(client))
  await heard(stage, 1)
  await stage.vault.say(['pair.EURC-USDC'] as ActorName[], 'running', 1)
  await stage.vault.say(['pair.EURC-USDC'] as ActorName[], 'running', 2)
  stage.vault.script = (asked) => resting(asked as PlaceOrder)
  await stage.vault.say(pair, 'running', 1)
  t.same(requests(stage), [1])
  await stage.vault.say(pair, 'running', 2)
  t.equal((await answer).status, 201)
  t.same(requests(stage), [1, 1])
})
