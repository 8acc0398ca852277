import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { ClockShift } from '../../src/monitoring/clockShift.ts'
import { LastingReadings } from '../../src/monitoring/lastingReadings.ts'
import { readMetricsAddress, serveMetrics } from '../../src/monitoring/listener.ts'
import { Meters } from '../../src/monitoring/meters.ts'
import type { Readings } from '../../src/monitoring/meters.ts'

t.test('an address is a port of loopback, or an address and a port', async (t) => {
  t.same(readMetricsAddress('9464'), { host: '127.0.0.1', port: 9464 })
  t.same(readMetricsAddress('10.0.0.5:9464'), { host: '10.0.0.5', port: 9464 })
  t.same(readMetricsAddress('[fd00::5]:9464'), { host: 'fd00::5', port: 9464 })
  for (const wrong of ['', ':9464', '65536', '-1', '10.0.0:9464', '10.0.0.256:1', 'example.com:9464', 'fd00::5:9464', '[fd00::5]', '9464 ', '0x10', '1e3']) t.throws(() => readMetricsAddress(wrong), /--metrics .*a port of loopback, or an address and a port/, wrong)
})

t.test('however many ask at a time, a page is made once; one that failed is made anew', async (t) => {
  let [made, fails] = [0, true]
  const faults: unknown[] = []
  const meters = new Meters()
  const read = async (): Promise<readonly Readings[]> => {
    made++
    if (fails) throw new Error('a thread is away')
    meters.set('darkpool_feed_streams', made)
    return [await meters.read()]
  }
  const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, { readings: new LastingReadings(read, Infinity), failed: (error) => faults.push(error) })
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
  const failed = await fetch(url)
  t.same([failed.status, await failed.text()], [500, 'The metrics could not be read; the log says why.\n'], 'a fault is told to the log, and not to who asks')
  t.match(faults, [/a thread is away/])
  fails = false
  const texts = await Promise.all(Array.from({ length: 10 }, async () => (await fetch(url)).text()))
  t.equal(made, 2)
  t.match(texts[0], /\ndarkpool_feed_streams 2\n/)
  t.equal(new Set(texts).size, 1)
})

t.test('a port that is taken is one sentence', async (t) => {
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  t.teardown(() => busy.close())
  const { port } = busy.address() as AddressInfo
  await t.rejects(serveMetrics({ host: '127.0.0.1', port }, { readings: new LastingReadings(async () => []), failed: () => undefined }), { message: `metrics cannot be shown at 127.0.0.1:${port} (EADDRINUSE)` })
})

t.test('a clock that is set shows by how much; time that passes does not', async (t) => {
  let [now, passed] = [1_700_000_000_000, 5_000]
  const clock = new ClockShift({ now: () => now, passed: () => passed })
  t.equal(clock.shift_s, 0)
  now += 86_400_000
  passed += 86_400_000
  t.equal(clock.shift_s, 0)
  now -= 3_600_000
  t.equal(clock.shift_s, -3_600, 'set back by an hour')
  now += 3_607_500
  t.equal(clock.shift_s, 7.5)
})
