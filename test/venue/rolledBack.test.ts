import { cpSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { LocalTrader } from '../../scripts/venue/trader.ts'
import { persist, refusal, VenueUnderTest } from './venueUnderTest.ts'

const XLM = 'XLM-USDC'
const BACK_ms = 240_000

t.setTimeout(900_000)
const under = await VenueUnderTest.start(2)
t.teardown(() => under.stop())
const { venue } = under
const [alice, bob] = [under.trader(), under.trader()]
const order = { type: 'limit', quantity: '10', timeInForce: 'GTC' } as const

const place = async (trader: LocalTrader, side: 'buy' | 'sell', price: string) => {
  const client = await trader.client()
  const request = await client.signOrder(XLM, { ...order, side, price })
  return persist(() => client.sendOrder(request))
}
const trade = async (price: string): Promise<void> => {
  await place(alice, 'sell', price)
  t.match(await place(bob, 'buy', price), { status: 'filled' })
  await bob.settled()
}

/** All that the venue remembers. The chain is elsewhere. */
const store = venue.state.file('nats')
const remembering = [venue.nats, venue.shard, venue.gateway]
const start = async (): Promise<void> => {
  for (const server of remembering) await server.start()
}
const stop = async (): Promise<void> => {
  for (const server of remembering.toReversed()) await server.stop()
}
const copy = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true })
}
const missing = async (): Promise<string> => ((await (await fetch(`${venue.gatewayUrl}/ready`)).json()) as { missing: string[] }).missing.join()

t.test('a venue whose disk was set back takes no order and lets nobody withdraw, says so, and trades again once its newest state is back', async (t) => {
  const [yesterday, today] = [venue.state.file('yesterday'), venue.state.file('today')]
  const resting = await place(alice, 'sell', '0.9')
  await trade('0.5')
  await stop()
  copy(store, yesterday)
  await start()
  await venue.ready()
  await trade('0.6')
  await stop()
  copy(store, today)

  copy(yesterday, store)
  await start()
  for (const end = Date.now() + BACK_ms; (await missing()) !== 'chain'; await delay(100)) if (Date.now() > end) throw new Error(`/ready lacks ${await missing()}`)
  const [hers, his] = [await alice.client(), await bob.client()]
  t.equal(await refusal(his.placeOrder(XLM, { ...order, side: 'buy', price: '0.9' })), 'chain_diverged')
  t.equal(await refusal(his.withdraw('XLM', '1')), 'chain_diverged')
  t.match(await persist(() => hers.cancelOrder(resting.id)), { status: 'cancelled' }, 'what rests can be taken back')
  const failed = await under.darkpool('status').then(
    () => ({ code: 0, stdout: '{}' }),
    (error: { readonly code: number; readonly stdout: string }) => error,
  )
  t.equal(failed.code, 1)
  const { actors } = JSON.parse(failed.stdout) as { readonly actors: readonly { readonly actor: string; readonly alarms: readonly string[] }[] }
  t.same(actors.filter(({ alarms }) => alarms.length > 0).map(({ actor, alarms }) => [actor, ...alarms]), [['settlement.0', 'chain_diverged']])
  t.match(readFileSync(venue.logFile(venue.shard), 'utf8'), /"page":"docs\/operations\/rolled-back-state\.md".*does not continue this history: the venue takes only cancels/)

  await stop()
  copy(today, store)
  await start()
  await venue.ready()
  t.match(await persist(() => hers.order(resting.id)), { status: 'open' }, 'what was done to an older state is no part of the newest')
  await trade('0.7')
})
