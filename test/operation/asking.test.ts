import t from 'tap'
import { connectNats, NatsTransport } from '../../src/actors/runtime/transport.ts'
import { serveShardCommands } from '../../src/actors/shardCommands.ts'
import type { Snapshotted } from '../../src/actors/runtime/snapshotter.ts'
import { LastingReadings } from '../../src/monitoring/lastingReadings.ts'
import { Meters, page } from '../../src/monitoring/meters.ts'
import type { Readings } from '../../src/monitoring/meters.ts'
import { Asking } from '../../src/operation/asking.ts'
import type { Answer } from '../../src/protocol/packets.ts'
import { Subjects, vaultActor } from '../../src/protocol/subjects.ts'
import { startNats } from '../nats/server.ts'
import { LogLines, ManualClock } from '../runtime/world.ts'
import { until } from '../settlement/waiting.ts'

const nats = await startNats({ synced: false })
const connection = await connectNats({ servers: [nats.url], user: nats.user, password: nats.password }, 'test')
t.teardown(async () => {
  await connection.close()
  await nats.stop()
})
const subjects = new Subjects('test')
const transport = new NatsTransport(connection)

t.test('what takes minutes is not refused for how often it was asked for meanwhile', async (t) => {
  const clock = new ManualClock(1_700_000_000_000)
  const taken = Promise.withResolvers<Snapshotted>()
  let [demands, said] = [0, 0]
  const demand = (): Promise<Snapshotted> => (demands++, taken.promise)
  connection.subscribe(subjects.shard('a'), { callback: () => void said++ })
  serveShardCommands({ connection, subjects, node: 'a', snapshots: { demand }, readings: new LastingReadings(async () => []), log: new LogLines() })
  const asking = new Asking(transport, subjects, 'operator-a', clock)
  let answer: Answer | null | undefined
  void asking.ask(subjects.shard('a'), { command: { kind: 'snapshot', actor: vaultActor(0) } }, 300_000).then((said) => (answer = said))
  await clock.pass(299_999)
  await until('the shard was asked again and again', () => said > 10)
  await connection.flush()
  t.equal(answer, undefined, 'nothing was refused')
  taken.resolve({ records: 9, snapshot: 9, bytes: 7, former: null })
  await until('the answer came', () => answer !== undefined)
  t.match(answer, { ok: { record: 9 } })
  t.equal(demands, 1, 'it is one command, however often it is said')
  asking.close()
  t.equal(await asking.ask(subjects.shard('a'), { command: { kind: 'metrics' } }, 1_000), null, 'it asks nothing any more')
})

t.test('a shard’s metrics are read no more often for operators who ask over NATS than for a page', async (t) => {
  const meters = new Meters()
  let read = 0
  const readings = new LastingReadings(async () => (meters.set('darkpool_feed_streams', ++read), [await meters.read()]), Infinity)
  serveShardCommands({ connection, subjects, node: 'b', snapshots: { demand: () => Promise.reject(new Error('nobody asks')) }, readings, log: new LogLines() })
  const [one, other] = [new Asking(transport, subjects, 'operator-c'), new Asking(transport, subjects, 'operator-d')]
  const answers = [await readings.latest(), ...(await Promise.all([one, other, one].map((asking) => asking.ask(subjects.shard('b'), { command: { kind: 'metrics' } }, 60_000)))).map((answer) => answer !== null && 'ok' in answer && answer.ok)]
  t.equal(read, 1)
  for (const answer of answers) t.match(await page(answer as Readings[]), /\ndarkpool_feed_streams 1\n/)
  one.close()
  other.close()
})

t.test('nobody answers, or with nonsense: null in the end, and for those who wait when it is closed', async (t) => {
  const clock = new ManualClock(1_700_000_000_000)
  const asking = new Asking(transport, subjects, 'operator-b', clock)
  const [late, closed] = [asking.ask(subjects.shard('z'), { query: { kind: 'market' } }, 30_000), asking.ask(subjects.shard('z'), { query: { kind: 'market' } }, 60_000)]
  connection.publish(subjects.answers('operator-b'), 'nonsense')
  await connection.flush()
  await clock.pass(30_000)
  t.equal(await late, null)
  asking.close()
  t.equal(await closed, null)
})
