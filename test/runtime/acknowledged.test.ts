import { JetStreamApiError, jetstreamManager } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'
import t from 'tap'
import { Acknowledged } from '../../src/actors/runtime/acknowledged.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { startNats } from '../nats/server.ts'

t.setTimeout(280_000)

const PATIENCE_ms = 30_000
const server = await startNats()
const connection = await connectNats({ servers: [server.url], user: server.user, password: server.password }, 'acknowledged')
const manager = await jetstreamManager(connection)
await manager.streams.add({ name: 'stored', subjects: ['stored.>'] })
t.teardown(async () => {
  await connection.close()
  await server.stop()
})
const acknowledged = new Acknowledged(connection)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const publish = (subject: string, text: string, headers: Record<string, string> = {}, patience_ms = PATIENCE_ms): Promise<number> => acknowledged.publish(subject, bytes(text), headers, patience_ms)

t.test('each is told the sequence of its own message, however many are on their way', async (t) => {
  const texts = Array.from({ length: 200 }, (_, n) => `${n}`)
  const sequences = await Promise.all(texts.map((text, n) => publish(`stored.a${n % 3}`, text)))
  for (const [n, seq] of sequences.entries()) t.equal((await manager.streams.getMessage('stored', { seq }))?.string(), texts[n])
})

t.test('what the stream refuses is refused with its code, and not stored', async (t) => {
  const expected = { 'Nats-Expected-Last-Subject-Sequence': '7' }
  const refusal = await publish('stored.b', 'x', expected).then(() => undefined, (error: unknown) => error)
  t.ok(refusal instanceof JetStreamApiError)
  t.equal((refusal as JetStreamApiError).code, 10071)
  const refusedStream = await publish('stored.b', 'x', { 'Nats-Expected-Stream': 'another' }).then(() => undefined, (error: unknown) => error)
  t.ok(refusedStream instanceof JetStreamApiError)
  t.equal((await manager.streams.info('stored', { subjects_filter: 'stored.b' })).state.subjects?.['stored.b'], undefined)
})

t.test('nobody who stores it, an answer that is none, and no answer at all are told apart from both', async (t) => {
  await t.rejects(publish('nowhere', 'x'), { name: 'RequestError', message: /nobody/ })
  connection.subscribe('odd', { callback: (_, message) => void message.respond(message.data) })
  await t.rejects(publish('odd', '}'), { name: 'RequestError' })
  await t.rejects(publish('odd', '{"stream":"stored"}'), { name: 'RequestError' })
  let held = (): void => undefined
  connection.subscribe('silent', { callback: (_, message) => void (held = () => void message.respond('{"seq":1}')) })
  const silence = await publish('silent', 'x', {}, 100).then(() => undefined, (error: unknown) => error)
  t.ok(silence instanceof errors.TimeoutError)
  // What comes too late is nobody's, and nobody else's either.
  held()
  t.ok((await publish('stored.c', 'after')) > 0)
})
