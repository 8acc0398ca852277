import t from 'tap'
import { VenueReader } from '../../src/client/venueReader.ts'
import type { Ticks } from '../../src/protocol/identity.ts'
import { call, refused } from './call.ts'
import { openStage } from './stage.ts'

const stage = await openStage({ answerTimeout_ms: 300 })
t.teardown(() => stage.close())
const reader = new VenueReader(stage.url)
const get = (market: string) => call(stage.url, 'GET', `/api/v1/markets/${market}`)

t.test('anybody may see whether a market is open, and its prices', async (t) => {
  t.strictSame((await get('XLM-USDC')).json, { name: 'XLM-USDC', state: 'open', lowestPrice: '0.0001', highestPrice: '10' })
  stage.pair.status = { state: 'cancelOnly', lowTicks: 900 as Ticks, highTicks: 1_100 as Ticks }
  t.strictSame(await reader.marketState('XLM-USDC'), { name: 'XLM-USDC', state: 'cancelOnly', lowestPrice: '0.09', highestPrice: '0.11' })
  t.match(await reader.marketState('EURC-USDC'), { lowestPrice: '0.009' }, 'in the decimals of each market')
  refused(t, await get('XLM-EURC'), 'market_unknown')
  refused(t, await get('x'), 'request_malformed')
  refused(t, await get('XLM-USDC?depth=5'), 'request_malformed')
})

t.test('who asks while the market is asked already shares its answer', async (t) => {
  stage.pair.status = null
  stage.pair.asked = 0
  const answers = await Promise.all(Array.from({ length: 50 }, () => get('XLM-USDC')))
  for (const answer of answers) refused(t, answer, 'market_unavailable')
  t.ok(stage.pair.asked >= 1 && stage.pair.asked < 50, 'and the market hears one question at a time')
  t.equal(answers[0]?.headers.get('retry-after'), '1')
  t.equal(stage.gateway.admission.inFlight, 0)
})

t.test('a market that nobody keeps is unavailable', async (t) => {
  await stage.pair.close()
  refused(t, await get('XLM-USDC'), 'market_unavailable')
})
