import t from 'tap'
import { connectNats, NatsTransport } from '../../src/actors/runtime/transport.ts'
import { serveShardCommands } from '../../src/actors/shardCommands.ts'
import type { Snapshotted } from '../../src/actors/runtime/snapshotter.ts'
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
  let demands = 0
  const demand = (): Promise<Snapshotted> => (demands++, taken.promise)
  serveShardCommands({ connection, subjects, node: 'a', snapshots: { demand }, log: new LogLines() })
  const asking = new Asking(transport, subjects, 'operator-a', clock)
  let answer: Answer | null | undefined
  void asking.ask(subjects.shard('a'), { command: { kind: 'snapshot', actor: vaultActor(0) } }, 300_000).then((said) => (answer = said))
  await clock.pass(299_999)
  await until('the shard was asked again and again', () => demands > 10)
  await connection.flush()
  t.equal(answer, undefined, 'nothing was refused')
  taken.resolve({ records: 9, snapshot: 9, bytes: 7, former: null })
  await until('the answer came', () => answer !== undefined)
  t.match(answer, { ok: { record: 9 } })
  asking.close()
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
