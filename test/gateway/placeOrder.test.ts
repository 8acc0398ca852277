import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { openStage, trader } from './stage.ts'

const stage = await openStage()
t.teardown(() => stage.close())
const alice = trader('alice')
const client = await Client.open(stage.url, alice)

t.test('an order goes to its vault actor and comes back as the market left it', async (t) => {
  const request = await client.signOrder('XLM-USDC', { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
  const order = await client.sendOrder(request)
  t.match(order, { market: 'XLM-USDC', side: 'buy', type: 'limit', price: '0.12', quantity: '10', spend: null, status: 'open', reason: null, filledQuantity: '0', filledQuote: '0' })
  t.match(stage.vault.heard.at(-1), { kind: 'place', id: order.id, account: alice.address, signer: alice.address, ticks: 1200, lots: 10, spend: 0n })
})
