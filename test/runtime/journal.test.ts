import { setTimeout as delay } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import t from 'tap'
import { JetStreamJournal } from '../../src/actors/runtime/jetstreamJournal.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { startProxy } from '../nats/proxy.ts'
import { startNats } from '../nats/server.ts'
import { LogLines, subjects } from './world.ts'

t.setTimeout(280_000)

const server = await startNats()
const proxy = await startProxy(server.port)
const access = (url: string) => ({ servers: [url], user: server.user, password: server.password })
const direct = await connectNats(access(server.url), 'direct')
await ensureStreams(direct, subjects)
const manager = await jetstreamManager(direct)
t.teardown(async () => {
  await direct.close()
  await proxy.stop()
  await server.stop()
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const log = new LogLines()

let made = 0
function subjectOf(): string {
  return subjects.journal(`vault.${++made}` as ActorName)
}
const journalOn = (connection: NatsConnection, subject: string): JetStreamJournal => new JetStreamJournal(connection, subjects.journalStream, subject, log)

async function replay(journal: JetStreamJournal): Promise<string[]> {
  const records: string[] = []
  for await (const { record } of journal.replay()) records.push(new TextDecoder().decode(record))
  return records
}

async function stored(subject: string): Promise<string[]> {
  return replay(journalOn(direct, subject))
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20)
}
const count = async (subject: string): Promise<number> => {
  const info = await manager.streams.info(subjects.journalStream, { subjects_filter: subject })
  return info.state.subjects?.[subject] ?? 0
}

t.test('appends are replayed in order, each actor its own', async (t) => {
  const [one, two] = [subjectOf(), subjectOf()]
  const [first, second] = [journalOn(direct, one), journalOn(direct, two)]
  t.same(await replay(first), [])
  t.same(await replay(second), [])
  for (let i = 0; i < 5_000; i++) await (i % 3 === 0 ? first : second).append(bytes(`${i}`))
  const expected = Array.from({ length: 5_000 }, (_, i) => `${i}`)
  const again = journalOn(direct, one)
  t.same(await replay(again), expected.filter((_, i) => i % 3 === 0))
  t.same(await stored(two), expected.filter((_, i) => i % 3 !== 0))
  await again.append(bytes('after'))
  t.equal((await stored(one)).at(-1), 'after')
})

t.test('a journal is replayed before it is written, and gives each record once', async (t) => {
  const subject = subjectOf()
  const journal = journalOn(direct, subject)
  await t.rejects(journal.append(bytes('x')), { message: /not replayed/ })
  t.same(await replay(journal), [])
  await journal.append(bytes('1'))
  const other = journalOn(direct, subject)
  t.same(await replay(other), ['1'])
  await journal.append(bytes('2'))
  await t.rejects(other.append(bytes('3')), { name: 'Fenced' })
  t.same(await replay(other), ['2'])
  await other.append(bytes('3'))
  t.same(await replay(other), [])
  t.same(await stored(subject), ['1', '2', '3'])
})

t.test('the log is the lock: whoever has not read the last record cannot append', async (t) => {
  const subject = subjectOf()
  const [older, younger] = [journalOn(direct, subject), journalOn(direct, subject)]
  await replay(older)
  await older.append(bytes('1'))
  await replay(younger)
  await younger.append(bytes('2'))
  await t.rejects(older.append(bytes('3')), { name: 'Fenced' })
  await t.rejects(older.append(bytes('3')), { name: 'Fenced' })
  await younger.append(bytes('4'))
  t.same(await stored(subject), ['1', '2', '4'])
})

t.test('two that start at the same time: one appends', async (t) => {
  const subject = subjectOf()
  const journals = Array.from({ length: 8 }, () => journalOn(direct, subject))
  for (const journal of journals) await replay(journal)
  const outcomes = await Promise.allSettled(journals.map((journal, i) => journal.append(bytes(`${i}`))))
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  t.ok(outcomes.every((outcome) => outcome.status === 'fulfilled' || (outcome.reason as Error).name === 'Fenced'))
  t.equal((await stored(subject)).length, 1)
})

t.test('a record that the stream does not take is refused for good', async (t) => {
  const journal = journalOn(direct, subjectOf())
  await replay(journal)
  await t.rejects(journal.append(new Uint8Array(8_388_609)), { message: /max_payload/ })
})

t.test('a full stream: the append waits, says why, and is stored once when there is room', async (t) => {
  const subject = subjectOf()
  const journal = journalOn(direct, subject)
  await replay(journal)
  const { config, state } = await manager.streams.info(subjects.journalStream)
  const records = Array.from({ length: 20 }, (_, n) => `${n}`.padEnd(1_000, '.'))
  const doubts = () => log.lines.filter((line) => line.includes('an append is in doubt') && line.includes('maximum bytes exceeded'))
  const before = doubts().length
  await manager.streams.update(subjects.journalStream, { ...config, max_bytes: state.bytes + 10_000 })
  let appended = 0
  const append = (async () => {
    for (const record of records) {
      await journal.append(bytes(record))
      appended++
    }
  })()
  await until(async () => doubts().length >= before + 3)
  const held = appended
  t.ok(held > 0 && held < records.length)
  t.same(await stored(subject), records.slice(0, held), 'what was acknowledged is there, and nothing else')
  await manager.streams.update(subjects.journalStream, config)
  await append
  t.same(await stored(subject), records)
})

/** An append whose answer, or which itself, gets lost; then the connection ends, and things are well again. */
async function inDoubt(subject: string, lose: 'answer' | 'append', meanwhile: () => Promise<void>): Promise<void> {
  const connection = await connectNats(access(proxy.url), 'doubtful')
  try {
    const journal = journalOn(connection, subject)
    await replay(journal)
    await journal.append(bytes('1'))
    if (lose === 'answer') proxy.mute(true)
    else proxy.deafen(true)
    const append = journal.append(bytes('2'))
    // It fails while the test is elsewhere.
    append.catch(() => undefined)
    if (lose === 'answer') await until(async () => (await count(subject)) === 2)
    await meanwhile()
    proxy.cut()
    proxy.mute(false)
    proxy.deafen(false)
    await append
    await journal.append(bytes('3'))
  } finally {
    await connection.close()
  }
}

t.test('in doubt, and stored: it goes on, without a second copy', async (t) => {
  const subject = subjectOf()
  await inDoubt(subject, 'answer', async () => undefined)
  t.same(await stored(subject), ['1', '2', '3'])
})

t.test('in doubt, and lost: it is appended again', async (t) => {
  const subject = subjectOf()
  await inDoubt(subject, 'append', () => delay(100))
  t.same(await stored(subject), ['1', '2', '3'])
})

t.test('in doubt, and another owner has appended: fenced, whether or not it was stored', async (t) => {
  for (const lose of ['answer', 'append'] as const) {
    const subject = subjectOf()
    const takeOver = async (): Promise<void> => {
      const other = journalOn(direct, subject)
      await replay(other)
      await other.append(bytes('other'))
    }
    await t.rejects(inDoubt(subject, lose, takeOver), { name: 'Fenced' })
    t.same(await stored(subject), lose === 'answer' ? ['1', '2', 'other'] : ['1', 'other'])
  }
})

t.test('nats-server killed and started again under appends: what was acknowledged is there, once', async (t) => {
  const subject = subjectOf()
  const connection = await connectNats(access(server.url), 'restarted')
  const journal = journalOn(connection, subject)
  await replay(journal)
  let acknowledged = 0
  let go = true
  const writer = (async () => {
    while (go) await journal.append(bytes(`${++acknowledged}`))
  })()
  for (let i = 0; i < 3; i++) {
    await delay(150)
    await server.restart()
  }
  const before = acknowledged
  await until(async () => acknowledged > before + 10)
  go = false
  await writer
  t.same(await stored(subject), Array.from({ length: acknowledged }, (_, i) => `${i + 1}`))
  await connection.close()
})

t.test('the streams are made once, and kept as they are', async (t) => {
  const { config } = await manager.streams.info(subjects.journalStream)
  t.match(config, { storage: 'file', discard: 'new', deny_delete: true, max_bytes: -1, max_age: 0 })
  t.match((await manager.streams.info(subjects.feedStream)).config, { storage: 'file', persist_mode: 'async', discard: 'old' })
  await manager.streams.update(subjects.feedStream, { max_bytes: 1_000_000 })
  await ensureStreams(direct, subjects)
  t.equal((await manager.streams.info(subjects.feedStream)).config.max_bytes, 1_000_000)
})
