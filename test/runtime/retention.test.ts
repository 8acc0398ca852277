import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import t from 'tap'
import { Actor } from '../../src/actors/runtime/actor.ts'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import { JetStreamFeed } from '../../src/actors/runtime/jetstreamFeed.ts'
import { JetStreamJournal } from '../../src/actors/runtime/jetstreamJournal.ts'
import { JetStreamSnapshots } from '../../src/actors/runtime/jetstreamSnapshots.ts'
import type { Machine } from '../../src/actors/runtime/machine.ts'
import { systemRandom } from '../../src/actors/runtime/random.ts'
import { replicaOf } from '../../src/actors/runtime/replica.ts'
import { SealedEnvelope } from '../../src/actors/runtime/sealedEnvelope.ts'
import { takeSnapshot } from '../../src/actors/runtime/snapshotter.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats, NatsTransport } from '../../src/actors/runtime/transport.ts'
import { JournalKeys } from '../../src/enclave/journalKeys.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { startNats } from '../nats/server.ts'
import { LogLines, subjects } from './world.ts'

t.setTimeout(280_000)

const server = await startNats()
const access = { servers: [server.url], user: server.user, password: server.password }
const connection = await connectNats(access, 'retention')
await ensureStreams(connection, subjects)
const manager = await jetstreamManager(connection)
const log = new LogLines()
t.teardown(async () => {
  await connection.close()
  await server.stop()
})

/** Adds up what its driver tells it; its state is a number and a padding of two pieces, however long it lives. */
class Sum implements Machine<never, never, never, { readonly add: number; readonly filler: string }> {
  sum = 0
  readonly advance = (): void => undefined
  readonly command = (): void => undefined
  readonly message = (): void => undefined
  readonly query = (): { ok: null } => ({ ok: null })
  readonly deadline = (): null => null
  local(input: { readonly add: number }): void {
    this.sum += input.add
  }
  snapshot(): Uint8Array {
    return Buffer.from(String(this.sum).padStart(1_500_000, '0'))
  }
  restore(bytes: Uint8Array): void {
    this.sum = Number(Buffer.from(bytes).toString())
  }
}

const secret = systemRandom(32)
const envelope = (actor: ActorName, kind: 'record' | 'snapshot'): SealedEnvelope => new SealedEnvelope({ keys: JournalKeys.only(secret), venue: subjects.venue, actor, kind, random: systemRandom })
const journalOf = (actor: ActorName): JetStreamJournal => new JetStreamJournal(connection, subjects.journalStream, subjects.journal(actor), log)
const shelfOf = (actor: ActorName) => ({ store: new JetStreamSnapshots(connection, subjects, actor), envelope: envelope(actor, 'snapshot') })

async function start(name: ActorName, machine: Sum): Promise<Actor> {
  const parts = { name, machine, journal: journalOf(name), transport: new NatsTransport(connection), feed: new JetStreamFeed(connection, subjects), subjects, clock: systemClock, log }
  const actor = new Actor({ ...parts, envelope: envelope(name, 'record'), snapshots: shelfOf(name) })
  await actor.start()
  return actor
}

const snapshot = (name: ActorName) =>
  takeSnapshot({ replica: replicaOf(name, new Sum(), envelope(name, 'record'), subjects, systemClock, log), journal: journalOf(name), shelf: shelfOf(name), kept: 3, random: systemRandom, log }, 1)

async function until(condition: () => Promise<boolean>): Promise<void> {
  // No answer while the server starts is no yet.
  while (!(await condition().catch(() => false))) await delay(50)
}
const bytesOf = async (stream: string): Promise<number> => (await manager.streams.info(stream)).state.bytes
const onDisk = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0), 0)

t.test('however long actors live, journal and snapshots take no more room, and a new owner has it all', async (t) => {
  const names = ['vault.0', 'pair.X'] as ActorName[]
  const filler = 'x'.repeat(50_000)
  const machines = names.map(() => new Sum())
  let actors = await Promise.all(names.map((name, i) => start(name, machines[i]!)))
  let expected = 0
  const bytes: number[] = []
  const disk: number[] = []
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < 40; i++) {
      await Promise.all(actors.map((actor) => actor.submit({ add: round + i, filler })))
      expected += round + i
    }
    for (const name of names) await snapshot(name)
    bytes.push((await bytesOf(subjects.journalStream)) + (await bytesOf(subjects.snapshotStream)))
    disk.push(onDisk(server.directory))
    if (round % 4 !== 3) continue
    for (const actor of actors) actor.stop()
    if (round === 7) {
      await server.restart()
      await until(async () => (await bytesOf(subjects.journalStream)) > 0)
    }
    const next = names.map(() => new Sum())
    actors = await Promise.all(names.map((name, i) => start(name, next[i]!)))
    t.same(next.map(({ sum }) => sum), [expected, expected])
  }
  for (const actor of actors) actor.stop()
  const subjectsOf = (await manager.streams.info(subjects.snapshotStream, { subjects_filter: subjects.allSnapshots })).state.subjects ?? {}
  t.equal(Object.keys(subjectsOf).length, 6, 'three of each actor')
  // Four rounds of two actors at most: 40 records of 50 kB and a snapshot of 1.5 MB each, twice in each round.
  const round = 2 * (40 * 50_200 + 1_502_000)
  t.ok(Math.max(...bytes) <= 4 * round, `the streams hold ${Math.max(...bytes)} bytes at most`)
  t.ok(bytes.at(-1)! <= bytes[3]! * 1.1, `as much at the end as early on: ${bytes[3]} and ${bytes.at(-1)}`)
  // The server frees a block of its files when most of it is gone.
  t.ok(Math.max(...disk.slice(4)) <= 6 * round, `on disk too: ${disk.join(' ')}`)
})

t.test('the oldest record that is left stands before the oldest snapshot; with the snapshots gone nothing can be made from it', async (t) => {
  const name = 'vault.7' as ActorName
  const actor = await start(name, new Sum())
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 5; i++) await actor.submit({ add: 1, filler: '' })
    await snapshot(name)
  }
  actor.stop()
  const { store } = shelfOf(name)
  const rows = await store.list()
  t.equal(rows.length, 3)
  const records: number[] = []
  for await (const { record } of journalOf(name).replay()) records.push(envelope(name, 'record').unwrap(record).heading.index)
  t.equal(records[0], Number(rows[0]!.name.slice(0, 16)))
  t.equal(records.at(-1), 21)
  for (const row of rows) await store.remove(row.name)
  t.same(await store.list(), [])
  await t.rejects(start(name, new Sum()), { name: 'JournalFault', kind: 'beginning_missing' })
})

t.test('a snapshot whose pieces do not come is a store that does not answer', async (t) => {
  const store = new JetStreamSnapshots(connection, subjects, 'vault.8' as ActorName, 1_000)
  await store.append('a', new Uint8Array([1]))
  const read = async (): Promise<number> => {
    let pieces = 0
    for await (const piece of store.read('a', 2)) pieces += piece.length
    return pieces
  }
  t.equal(await store.last('b'), null)
  t.same(await store.last('a'), Buffer.from([1]))
  await t.rejects(read(), { message: /1 of 2 are missing/ })
  await store.remove('a')
  await t.rejects(read(), { message: /was let go/ })
})
