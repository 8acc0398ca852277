import t from 'tap'
import { catalogue } from '../../src/monitoring/catalogue.ts'
import type { MetricDefinition } from '../../src/monitoring/catalogue.ts'
import { Meters, page } from '../../src/monitoring/meters.ts'
import { documentedMetrics } from './documented.ts'
import { readPage, total } from './page.ts'

const entries = Object.entries(catalogue) as [keyof typeof catalogue, MetricDefinition][]

t.test('the page of documentation lists each metric as it is, and no other', async (t) => {
  const plain = (metrics: readonly { readonly name: string }[]) => [...metrics].sort((a, b) => (a.name < b.name ? -1 : 1))
  t.same(plain(documentedMetrics()), plain(entries.map(([name, { type, unit, labels, help }]) => ({ name, type, unit, labels: [...labels], help }))))
})

t.test('a name says its unit as Prometheus would have it', async (t) => {
  for (const [name, { type, unit, labels, buckets }] of entries) {
    t.match(name, /^darkpool_[a-z][a-z_]*[a-z]$/)
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: counters end with _total, and nothing else does`)
    if (/seconds$/.test(unit)) t.match(name, /_seconds(_total)?$/)
    if (unit === 'bytes') t.match(name, /_bytes(_total)?$/)
    t.ok(labels.every((label) => ['market', 'actor'].includes(label)), `${name} is told apart by market or actor alone`)
    t.equal(buckets !== undefined, type === 'histogram', name)
  }
})

t.test('what several threads have measured is one page', async (t) => {
  const [one, other] = [new Meters(), new Meters()]
  one.set('darkpool_actor_records_total', 7, { actor: 'vault.0' })
  one.set('darkpool_actor_records_total', 9, { actor: 'vault.0' })
  other.set('darkpool_actor_records_total', 4, { actor: 'vault.1' })
  one.expect('darkpool_actor_commit_seconds', { actor: 'vault.0' })
  for (const seconds of [0.000_4, 0.3, 11]) other.observe('darkpool_actor_commit_seconds', seconds, { actor: 'vault.1' })
  const read = readPage(await page([await one.read(), await other.read(), []]))
  t.same([...read.keys()], ['darkpool_actor_records_total', 'darkpool_actor_commit_seconds'])
  t.equal(total(read, 'darkpool_actor_records_total', { actor: 'vault.0' }), 9, 'a counter that is kept elsewhere stands where it was read')
  t.equal(total(read, 'darkpool_actor_records_total'), 13)
  t.equal(total(read, 'darkpool_actor_commit_seconds_count', { actor: 'vault.0' }), 0)
  const buckets = ['0.0005', '0.25', '0.5', '10', '+Inf'].map((le) => total(read, 'darkpool_actor_commit_seconds_bucket', { actor: 'vault.1', le }))
  t.same(buckets, [1, 1, 2, 2, 3])
})

t.test('a label that the catalogue does not have, or one too few, is a fault of ours', async (t) => {
  const meters = new Meters()
  const stranger = { market: 'XLM-USDC', account: 'GABC' } as { market: string }
  t.throws(() => meters.count('darkpool_orders_total', stranger), /darkpool_orders_total has the labels/)
  t.throws(() => meters.set('darkpool_open_orders', 1), /has the labels \{market\}/)
  t.throws(() => meters.observe('darkpool_order_answer_seconds', 1, { actor: 'vault.0' }), /has the labels/)
  t.throws(() => meters.count('darkpool_open_orders', { market: 'XLM-USDC' }), /is not a counter/)
  t.throws(() => meters.set('darkpool_order_answer_seconds', 1, { market: 'XLM-USDC' }), /is a histogram/)
})
