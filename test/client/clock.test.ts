import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { fetchTransport } from '../../src/client/transport.ts'
import type { Transport } from '../../src/client/transport.ts'
import { marketName } from '../gateway/fakeVault.ts'
import { openStage, trader } from '../gateway/stage.ts'

const HOUR_MS = 3_600_000
const stage = await openStage()
t.teardown(() => stage.close())

/** To a venue whose clock differs from ours: the same as a machine whose clock is off, told from the other side. */
class Elsewhen implements Transport {
  ahead_ms = 0
  asked = 0

  async carry(outgoing: Parameters<Transport['carry']>[0]) {
    const incoming = await fetchTransport.carry(outgoing)
    if (outgoing.url.pathname !== '/api/v1/time') return incoming
    this.asked++
    const { unix_ms } = JSON.parse(incoming.text) as { unix_ms: number }
    return { ...incoming, text: JSON.stringify({ time: '', unix_ms: unix_ms + this.ahead_ms }) }
  }
}

t.test('messages expire by the venue’s clock, however wrong the own one is', async (t) => {
  for (const ahead_ms of [0, 5 * HOUR_MS, -100 * HOUR_MS]) {
    const transport = new Elsewhen()
    transport.ahead_ms = ahead_ms
    const client = await Client.open(stage.url, trader('alice'), { transport })
    const { message } = await client.signOrder(marketName, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
    t.ok(Math.abs(Number(message.expires) * 1000 - (Date.now() + ahead_ms + HOUR_MS)) < HOUR_MS / 4, `${ahead_ms}`)
  }
})

t.test('a message that the venue finds expired has the clocks compared again, before the next is signed', async (t) => {
  const transport = new Elsewhen()
  transport.ahead_ms = -10 * HOUR_MS
  const client = await Client.open(stage.url, trader('alice'), { transport })
  transport.ahead_ms = 0
  const place = () => client.placeOrder(marketName, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
  await t.rejects(place(), { name: 'Refused', code: 'message_expired' })
  t.equal(transport.asked, 1)
  t.match(await place(), { status: 'open' })
  t.equal(transport.asked, 2)
  await client.signCancel('ab'.repeat(32))
  t.equal(transport.asked, 2, 'and then no more')
})
