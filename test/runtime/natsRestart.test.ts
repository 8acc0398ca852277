import { setTimeout as delay } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import t from 'tap'
import { Actor } from '../../src/actors/runtime/actor.ts'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { JetStreamJournal } from '../../src/actors/runtime/jetstreamJournal.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats, NatsTransport } from '../../src/actors/runtime/transport.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { FeedMessage } from '../../src/protocol/feed.ts'
import type { AccountId, ActorName } from '../../src/protocol/identity.ts'
import type { AnswerPacket } from '../../src/protocol/packets.ts'
import { startProxy } from '../nats/proxy.ts'
import { startNats } from '../nats/server.ts'
import { LedgerMachine } from './ledger.ts'
import { LogLines, subjects } from './world.ts'

t.setTimeout(280_000)

const left = 'vault.0' as ActorName
const right = 'pair.X' as ActorName

const server = await startNats()
const proxy = await startProxy(server.port)
const log = new LogLines()
const access = (url: string) => ({ servers: [url], user: server.user, password: server.password })
const client = await connectNats(access(server.url), 'client')
await ensureStreams(client, subjects)

const connections = [client]

interface Side {
  readonly actor: Actor
  readonly machine: LedgerMachine
  readonly connection: NatsConnection
}

async function start(name: ActorName, url = server.url): Promise<Side> {
  const connection = await connectNats(access(url), name)
  connections.push(connection)
  const machine = new LedgerMachine(name === left ? right : left, name === left)
  const journal = new JetStreamJournal(connection, subjects.journalStream, subjects.journal(name), log)
  const feed = new JetStreamFeed(connection, subjects)
  const actor = new Actor({ name, machine, journal, transport: new NatsTransport(connection), feed, subjects, clock: systemClock, log })
  await actor.start()
  return { actor, machine, connection }
}

const answered = new Set<number>()
client.subscribe(subjects.answers('g1'), {
  callback: (_, { data }) => {
    for (const { request, answer } of decode<AnswerPacket>(data).answers) if ('ok' in answer) answered.add(request)
  },
})

let asked = 0
/** Sends commands until told to stop, a few at a time, whether or not anybody answers. */
function load(): () => Promise<void> {
  let go = true
  const loop = (async () => {
    while (go) {
      const items = Array.from({ length: 5 }, () => ({ request: ++asked, command: { kind: 'pass', id: asked } }))
      client.publish(subjects.clients(left), encode({ gateway: 'g1', items }))
      await delay(1)
    }
  })()
  return async () => {
    go = false
    await loop
  }
}

const passed = (machine: LedgerMachine): number[] => machine.lines.filter((line) => line.startsWith('pass ')).map((line) => Number(line.split(' ')[1]))

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(20)
}
/** Both sides have all that the left one passed. */
const level = (a: Side, b: Side): Promise<void> => until(() => passed(a.machine).length === b.machine.received.length && a.actor.status.backlog === 0)

t.test('two actors under load, through restarts of nats-server, lost connections and crashes of either', async (t) => {
  let a = await start(left, proxy.url)
  let b = await start(right, proxy.url)
  const stop = load()
  await until(() => answered.size > 200)

  for (let i = 0; i < 2; i++) {
    await server.restart()
    const before = answered.size
    await until(() => answered.size > before + 100)
  }
  for (let i = 0; i < 5; i++) {
    proxy.cut()
    const before = answered.size
    await until(() => answered.size > before + 100)
  }
  for (let i = 0; i < 4; i++) {
    const dead = i % 2 === 0 ? a : b
    dead.actor.stop()
    await dead.connection.close()
    if (i % 2 === 0) a = await start(left, proxy.url)
    else b = await start(right, proxy.url)
    const before = answered.size
    await until(() => answered.size > before + 100)
  }
  // The old owner does not know that it is replaced. It learns it from its journal, or from an acknowledgement of what it never sent.
  const replaced = a
  a = await start(left)
  t.match(await replaced.actor.ended, { message: /another writer|another owner/ })
  await stop()
  await level(a, b)
  const ids = passed(a.machine)
  t.same(b.machine.received, ids, 'each message once, in order')
  const durable = new Set(ids)
  t.same([...answered].filter((id) => !durable.has(id)), [], 'what was answered is there')
  t.equal(durable.size, ids.length)

  a.actor.stop()
  b.actor.stop()
  const [lived, livedPeer] = [a.machine.lines, b.machine.lines]
  a = await start(left)
  b = await start(right)
  t.strictSame(a.machine.lines, lived)
  t.strictSame(b.machine.lines, livedPeer)
  await a.actor.drain(10_000)
  await b.actor.drain(10_000)

  let next = 1
  let skipped = 0
  const texts: string[] = []
  const consumer = await jetstream(client).consumers.get(subjects.feedStream, { filter_subjects: subjects.feed('GLEDGER' as AccountId) })
  const { num_pending } = await consumer.info()
  t.ok(num_pending >= lived.length)
  for await (const message of await consumer.consume()) {
    const feed = message.json<FeedMessage>()
    if (feed.seq > next) skipped++
    if (feed.seq === next) next = texts.push('trades' in feed ? feed.trades[0]! : '') + 1
    if (message.info.pending === 0) break
  }
  t.equal(skipped, 0, 'no feed number before its predecessor')
  t.strictSame(texts, lived)
})

t.teardown(async () => {
  for (const connection of connections) await connection.close()
  await proxy.stop()
  await server.stop()
})
