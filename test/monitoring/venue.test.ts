import { connect, nkeyAuthenticator, usernamePasswordAuthenticator } from '@nats-io/transport-node'
import t from 'tap'
import { keyFile } from '../../scripts/venue/keyFiles.ts'
import { catalogue } from '../../src/monitoring/catalogue.ts'
import type { MetricDefinition } from '../../src/monitoring/catalogue.ts'
import { page } from '../../src/monitoring/meters.ts'
import { decode } from '../../src/protocol/codec.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { encodeUserSeed } from '../../src/protocol/nkey.ts'
import { OPERATOR_USER } from '../../src/protocol/subjects.ts'
import type { DeskAnswer, DeskRequest, GatewayReadings } from '../../src/protocol/operator.ts'
import type { MarketStatus } from '../../src/protocol/pair.ts'
import { traderInbox } from '../../src/protocol/subjects.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import { until } from '../settlement/waiting.ts'
import { VenueUnderTest } from '../venue/venueUnderTest.ts'
import { readMetrics, readPage, total } from './page.ts'
import type { Family } from './page.ts'

const XLM = 'XLM-USDC'
/** Nothing else of a venue looks like these. */
const [PRICE, QUANTITY] = ['0.7313', '41.7']

t.setTimeout(600_000)
const under = await VenueUnderTest.start(2)
const books = await under.books('alice', 'bob')
t.teardown(async () => {
  await books.close()
  await under.stop()
})
const [gatewayUrl, shardUrl] = under.venue.nodes[0].metricsUrls

type Page = ReadonlyMap<string, Family>

/** Both pages, once `holds` of them. */
async function once(what: string, holds: (gateway: Page, shard: Page) => boolean): Promise<{ readonly texts: readonly string[]; readonly pages: readonly [Page, Page] }> {
  let [gateway, shard] = [await readMetrics(gatewayUrl), await readMetrics(shardUrl)]
  await until(what, async () => {
    if (holds(gateway.page, shard.page)) return true
    ;[gateway, shard] = [await readMetrics(gatewayUrl), await readMetrics(shardUrl)]
    return false
  })
  return { texts: [gateway.text, shard.text], pages: [gateway.page, shard.page] }
}

await books.limit('alice', XLM, 'sell', QUANTITY, PRICE)
await books.limit('bob', XLM, 'buy', QUANTITY, PRICE)
books.traded('bob', 'alice', XLM, QUANTITY, PRICE)
await books.limit('bob', XLM, 'buy', QUANTITY, '0.3')
books.reserves('bob', 'USDC', String(41.7 * 0.3))
const { texts, pages } = await once('a trade in the metrics', (gateway, shard) => {
  // The balances of the accounts that pay are looked up after three seconds.
  if (total(shard, 'darkpool_settlement_batches_total')! < 1 || total(shard, 'darkpool_settlement_least_balance_stroops') === null) return false
  const traded = total(gateway, 'darkpool_orders_total', { market: XLM })! >= 3 && total(shard, 'darkpool_matches_total', { market: XLM }) === 1
  return traded && total(shard, 'darkpool_open_orders', { market: XLM }) === 1 && total(gateway, 'darkpool_feed_nats_connections') === 2
})
const [gateway, shard] = pages

t.test('each metric is there, with its type, unit and labels, and no other is', async (t) => {
  const shown = new Map<string, Family>()
  for (const page of pages) for (const [name, family] of page) shown.set(name, { ...family, samples: [...(shown.get(name)?.samples ?? []), ...family.samples] })
  // The venue speaks no TLS, and of the collector nobody speaks but itself.
  const absent = ['darkpool_collector_answered', 'darkpool_gateway_certificate_expiry_seconds', 'darkpool_nats_certificate_expiry_seconds']
  t.same([...shown.keys()].sort(), Object.keys(catalogue).filter((name) => !absent.includes(name)).sort())
  for (const [name, { type, help, samples }] of shown) {
    const wanted: MetricDefinition = catalogue[name as keyof typeof catalogue]
    t.equal(type, wanted.type, name)
    t.equal(help, `${wanted.help} (${wanted.unit})`, name)
    t.ok(samples.length > 0, `${name} has a value`)
    for (const { labels } of samples) t.same(Object.keys(labels).filter((label) => label !== 'le').sort(), [...wanted.labels].sort(), name)
  }
})

t.test('they count what happened', async (t) => {
  // An order that came before its market was ready was sent again.
  const answered = total(gateway, 'darkpool_orders_total', { market: XLM })! + total(gateway, 'darkpool_orders_refused_total', { market: XLM })!
  t.equal(total(gateway, 'darkpool_order_answer_seconds_count', { market: XLM }), answered)
  t.equal(total(gateway, 'darkpool_orders_total', { market: 'EURC-USDC' }), 0, 'a market where nothing happened is there with nothing')
  t.equal(total(shard, 'darkpool_market_open', { market: XLM }), 1)
  t.equal(total(gateway, 'darkpool_process_nats_connected'), 1)
  const actors = ['vault.0', 'vault.1', 'pair.XLM-USDC', 'pair.EURC-USDC', 'settlement.0', 'watcher.0']
  t.same(shard.get('darkpool_actor_running')?.samples.map(({ labels, value }) => [labels.actor, value]).sort(), actors.map((actor) => [actor, 1]).sort())
  const pair = { actor: 'pair.XLM-USDC' }
  t.ok(total(shard, 'darkpool_actor_commit_seconds_count', pair)! >= 3, 'each order made a record at least')
  t.equal(total(shard, 'darkpool_actor_commit_seconds_count', pair), total(shard, 'darkpool_actor_batch_inputs_count', pair))
  t.ok(total(shard, 'darkpool_actor_batch_inputs_sum', pair)! >= 3)
  t.ok(total(shard, 'darkpool_settlement_fee_stroops_total')! > 0, 'the network has charged for it')
  t.equal(total(shard, 'darkpool_settlement_batch_trades_sum'), 1)
  t.equal(total(shard, 'darkpool_settlement_batch_accounts_sum'), 2)
  t.equal(total(shard, 'darkpool_settlement_queued_trades'), 0)
  t.equal(total(shard, 'darkpool_settlement_low_accounts'), 0)
  t.ok(total(shard, 'darkpool_settlement_least_balance_stroops')! > 50_000_000)
  for (const actor of ['settlement.0', 'watcher.0']) t.equal(total(shard, 'darkpool_rpc_endpoints', { actor }), 1)
  t.ok(total(shard, 'darkpool_rpc_call_seconds_count', { actor: 'watcher.0' })! > 0)
  t.ok(total(shard, 'darkpool_watcher_ledger')! > 1)
  t.ok(total(shard, 'darkpool_nats_store_bytes')! > 1_000)
  for (const page of pages) t.ok(total(page, 'darkpool_process_resident_memory_bytes')! > 10_000_000)
})

t.test('they name no trader, no order, no price and no quantity', async (t) => {
  const orders = [...(await books.client('alice').orders()), ...(await books.client('bob').orders())]
  const secret = [...['alice', 'bob'].map((role) => books.trader(role).key.publicKey()), ...orders.map(({ id }) => id), under.venue.deployment.engine]
  const values = new Set(texts.flatMap((text) => [...readPage(text).values()].flatMap(({ samples }) => samples.flatMap(({ labels, value }) => [String(value), ...Object.values(labels)]))))
  for (const text of texts) for (const one of secret) t.notOk(text.includes(one), 'no key, account or order')
  // In smallest units too, and what was paid.
  for (const one of [PRICE, QUANTITY, '417000000', '30.49521', '304952100']) t.notOk(values.has(one), `no value is ${one}`)
  const allowed = new Set(['XLM-USDC', 'EURC-USDC', 'vault.0', 'vault.1', 'pair.XLM-USDC', 'pair.EURC-USDC', 'settlement.0', 'watcher.0'])
  for (const page of pages) for (const { samples } of page.values()) for (const { labels } of samples) for (const [label, value] of Object.entries(labels)) t.ok(label === 'le' || allowed.has(value), `${label} is of the venue file`)
})

t.test('traders cannot reach them', async (t) => {
  const publicly = await fetch(new URL('/metrics', under.venue.gatewayUrl))
  t.equal(publicly.status, 404)
  t.match(await publicly.json(), { code: 'route_unknown' })
  t.equal((await fetch(new URL('/metrics/', gatewayUrl))).status, 404)
  t.match(await fetch(gatewayUrl, { method: 'POST', body: 'x' }), { status: 405 })
  const head = await fetch(shardUrl, { method: 'HEAD' })
  t.equal(head.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
})

t.test('operators whom the venue file names see them over NATS, with every gateway and shard, and act there too', async (t) => {
  const { subjects } = readVenue(under.venue.venueFile())
  const operator = keyFile(under.venue.keyPath('operator'))
  const key = operator.publicKey() as AccountId
  const authenticator = [nkeyAuthenticator(Buffer.from(encodeUserSeed(operator.rawSecretKey()))), usernamePasswordAuthenticator(OPERATOR_USER, '')]
  const connection = await connect({ servers: [...under.venue.natsUrls], authenticator, inboxPrefix: traderInbox(key) })
  t.teardown(() => connection.close())
  const ask = async <Value>(request: DeskRequest | null): Promise<Value> => {
    const { data } = await connection.request(subjects.operatorRequest(key, request === null ? 'gateways' : 'desk'), request === null ? '' : JSON.stringify(request), { timeout: 60_000 })
    const answer = decode<DeskAnswer<Value>>(data)
    if ('refused' in answer) throw new Error(answer.refused)
    return answer.ok
  }
  const shown = async (readings: readonly (readonly object[])[]): Promise<string[]> => [...readPage(await page(readings)).keys()].sort()
  t.same(await shown((await ask<GatewayReadings>(null)).readings), [...gateway.keys()].sort())
  t.same(await shown(await ask({ kind: 'shardMetrics', node: 'a' })), [...shard.keys()].sort())
  t.match(await ask({ kind: 'statuses' }), { length: 6 })
  const market = { kind: 'ask', actor: 'pair.EURC-USDC', query: { kind: 'market' } } as const
  const { lowTicks, highTicks } = await ask<MarketStatus>(market)
  for (const state of ['halted', 'open'] as const) {
    t.match(await ask({ kind: 'tell', actor: market.actor, command: { kind: 'control', state, lowTicks, highTicks } }), { state })
    t.match(await ask(market), { state })
  }
  t.match(await ask({ kind: 'snapshot', node: 'a', actor: market.actor }), { record: Number })
})

t.test('an actor whose thread dies is seen, and counted', async (t) => {
  under.venue.terminate('pair.EURC-USDC')
  const { pages } = await once('the restart', (_gateway, shard) => total(shard, 'darkpool_actor_restarts_total', { actor: 'pair.EURC-USDC' }) === 1)
  t.equal(total(pages[1], 'darkpool_actor_restarts_total', { actor: 'pair.XLM-USDC' }), 0, 'and no other')
  await once('that it runs again', (_gateway, shard) => total(shard, 'darkpool_actor_running', { actor: 'pair.EURC-USDC' }) === 1)
})

t.test('actors that no node runs are seen by the gateway, until one does again', async (t) => {
  const actors = ['pair.XLM-USDC', 'vault.0', 'settlement.0']
  const heard = async (): Promise<(number | null)[]> => {
    const { page } = await readMetrics(gatewayUrl)
    return actors.map((actor) => total(page, 'darkpool_actor_heard', { actor }))
  }
  t.same(await heard(), [1, 1, 1])
  await under.venue.nodes[0].shard.stop()
  await until('nobody has them', async () => (await heard()).every((one) => one === 0))
  await t.rejects(fetch(shardUrl), 'what a shard shows of its actors is gone with it')
  await under.venue.nodes[0].shard.start()
  await until('somebody has them', async () => (await heard()).every((one) => one === 1))
})
