import t from 'tap'
import { NeverSent } from '../../src/client/errors.ts'
import { Collector } from '../../src/cli/collector.ts'
import type { DeskLink } from '../../src/cli/deskLink.ts'
import { collected } from '../../src/monitoring/collected.ts'
import { page } from '../../src/monitoring/meters.ts'
import { readPage, total } from '../monitoring/page.ts'

// A collector without a venue: test/operations/commands.test.ts has one with one.

const nobody = [{ instance: 'gateways', readings: null }]

t.test('while the venue is away it says so, each time on the page, and once to whoever reads along', async (t) => {
  const said: string[] = []
  let opened = 0
  const collector = new Collector(() => (opened++, Promise.reject(new NeverSent(new Error('away')))), 1, (text) => void said.push(text))
  await t.rejects(collector.start(), { name: 'NeverSent' })
  t.same(await collector.read(), nobody)
  t.same(await collector.read(), nobody)
  t.equal(opened, 3, 'each time it tries anew')
  t.equal(said.length, 1)
  t.equal(total(readPage(await page(await collected(nobody))), 'darkpool_collector_answered', { instance: 'gateways', job: 'darkpool' }), 0)
  await collector.close()
})

t.test('who reads does not wait for a connection that takes long, and it is made once', async (t) => {
  // As the page's listener does, it keeps the program from ending.
  const listening = setInterval(() => undefined, 60_000)
  t.teardown(() => clearInterval(listening))
  const { promise, resolve } = Promise.withResolvers<DeskLink>()
  let [opened, closed] = [0, 0]
  const collector = new Collector(() => (opened++, promise), 1, () => undefined)
  t.same(await Promise.all([collector.read(), collector.read()]), [nobody, nobody])
  t.equal(opened, 1)
  const ending = collector.close()
  resolve({ close: () => Promise.resolve(void closed++) } as unknown as DeskLink)
  await ending
  t.equal(closed, 1, 'and one that comes too late is closed')
})

t.test('what is no reading makes its process one that has not answered, and leaves the others on the page', async (t) => {
  const sound = [{ name: 'darkpool_open_orders', help: 'h', type: 'gauge', aggregator: 'sum', values: [{ value: 3, labels: { market: 'XLM-USDC' } }] }]
  const read = readPage(await page(await collected([{ instance: 'shard-a', readings: [sound] }, { instance: 'shard-b', readings: ['nonsense' as never] }, { instance: 'shard-c', readings: [[{ name: 7 }]] }])))
  t.same(read.get('darkpool_collector_answered')?.samples.map(({ labels, value }) => [labels['instance'], value]), [['shard-a', 1], ['shard-b', 0], ['shard-c', 0]])
  t.same(read.get('darkpool_open_orders')?.samples.map(({ labels }) => labels), [{ market: 'XLM-USDC', instance: 'shard-a', job: 'darkpool' }])
})
