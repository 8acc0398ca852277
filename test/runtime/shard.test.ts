import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import t from 'tap'
import { exitCodes } from '../../src/actors/exitCodes.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { SnapshotSchedule } from '../../src/actors/snapshotSchedule.ts'
import { SnapshotThread } from '../../src/actors/snapshotThread.ts'
import { Supervisor } from '../../src/actors/supervisor.ts'
import { ThreadKeys } from '../../src/actors/threadKeys.ts'
import { keyPaths } from '../../src/enclave/keys.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import type { ActorStatus, AnswerPacket } from '../../src/protocol/packets.ts'
import { Subjects } from '../../src/protocol/subjects.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import { startNats } from '../nats/server.ts'
import { venueFile } from './venueFile.ts'
import { LogLines, ManualClock } from './world.ts'

t.setTimeout(290_000)

const vault = 'vault.0' as ActorName
const pair = 'pair.XLM-USDC' as ActorName
const folder = mkdtempSync(join(tmpdir(), 'darkpool-shard-'))
const keysFile = join(folder, 'keys')
const password = Buffer.from(await developmentKeys(keysFile).secret(keyPaths.nats)).toString('hex')
const server = await startNats({ password })
const venue = join(folder, 'venue.json')
writeFileSync(venue, JSON.stringify(venueFile(server.url)))
const nats = { servers: [server.url], user: server.user, password }
const client = await connectNats(nats, 'client')
const subjects = new Subjects('test')
const threadKeys = (...actors: ActorName[]): Promise<ThreadKeys> => ThreadKeys.open(developmentKeys(keysFile), readVenue(venueFile(server.url)), actors)

t.teardown(async () => {
  await client.close()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Line {
  readonly at: string
  readonly message: string
  readonly ids: Record<string, unknown>
}

class Shard {
  readonly process: ChildProcess
  readonly exited: Promise<number | null>
  #output = ''

  constructor(...options: string[]) {
    this.process = fork('src/actors/shard.ts', options, { silent: true })
    this.process.stdout!.on('data', (chunk: Buffer) => (this.#output += chunk.toString()))
    this.process.stderr!.on('data', (chunk: Buffer) => (this.#output += chunk.toString()))
    this.exited = once(this.process, 'close').then(([code]) => code as number | null)
    t.teardown(() => this.process.kill('SIGKILL'))
  }

  /** Every line that it ever printed is JSON of one shape. */
  get lines(): Line[] {
    return this.#output.trim().split('\n').map((line) => JSON.parse(line) as Line)
  }

  async ready(): Promise<void> {
    const [message] = (await once(this.process, 'message')) as [unknown]
    if ((message as { type?: unknown }).type !== 'ready') throw new Error('the shard says something else than ready')
  }
}

const statuses: ActorStatus[] = []
client.subscribe(subjects.allStatus, { callback: (_, { data }) => void statuses.push(decode<ActorStatus>(data)) })
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20)
}

t.test('a command line or a file that is wrong is one clear sentence and an exit code', async (t) => {
  const bad = join(folder, 'bad.json')
  writeFileSync(bad, JSON.stringify({ ...venueFile(server.url), vaultPartitions: 0 }))
  const broken = join(folder, 'broken.json')
  writeFileSync(broken, '{')
  const away = join(folder, 'away.json')
  writeFileSync(away, JSON.stringify(venueFile('nats://127.0.0.1:1')))
  const stranger = join(folder, 'stranger')
  const cases: [string[], number, RegExp][] = [
    [[], exitCodes.usage, /usage: shard/],
    [['--nonsense'], exitCodes.usage, /nonsense/],
    [['--venue', join(folder, 'none.json'), '--keys', keysFile], exitCodes.configuration, /there is no venue file/],
    [['--venue', bad, '--keys', keysFile], exitCodes.configuration, /vaultPartitions/],
    [['--venue', broken, '--keys', keysFile], exitCodes.configuration, /broken.json/],
    [['--venue', venue, '--keys', keysFile, '--actors', 'pair.BTC-USDC'], exitCodes.usage, /no actor pair.BTC-USDC/],
    [['--venue', venue, '--keys', bad], exitCodes.configuration, /not a development root key/],
    [['--venue', away, '--keys', keysFile], exitCodes.unavailable, /NATS at nats:\/\/127.0.0.1:1 cannot be used/],
    [['--venue', venue, '--keys', stranger], exitCodes.unavailable, /NATS at .* cannot be used/],
  ]
  for (const [options, code, message] of cases) {
    const shard = new Shard(...options)
    t.equal(await shard.exited, code)
    t.equal(shard.lines.length, 1)
    t.match(shard.lines[0], { at: 'shard', message })
  }
})

t.test('actors run, one is killed and comes back while the other goes on, and all drain', async (t) => {
  const shard = new Shard('--venue', venue, '--keys', keysFile, '--actors', `${vault},${pair}`)
  await shard.ready()
  const answers: AnswerPacket[] = []
  client.subscribe(subjects.answers('g1'), { callback: (_, { data }) => void answers.push(decode<AnswerPacket>(data)) })
  const ask = (request: number): void =>
    client.publish(subjects.clients(vault), encode({ gateway: 'g1', items: [{ request, query: { kind: 'balances', account: `G${'A'.repeat(55)}` } }] }))
  await client.flush()
  ask(1)
  await until(() => answers.length === 1)
  t.equal(answers[0]!.from, vault)

  shard.process.send({ type: 'terminate', actor: pair })
  await until(() => shard.lines.some(({ message, ids }) => message === 'running' && ids.actor === pair && ids.epoch === 2))
  t.equal(shard.lines.filter(({ message, ids }) => message === 'running' && ids.actor === vault).length, 1, 'the vault actor was left alone')
  ask(2)
  await until(() => answers.length === 2)

  shard.process.send({ type: 'terminate', actor: 'pair.BTC-USDC' })
  await until(() => shard.lines.some(({ message }) => message === 'cannot terminate'))

  const before = statuses.length
  shard.process.kill('SIGTERM')
  t.equal(await shard.exited, exitCodes.drained)
  for (const actor of [vault, pair]) t.ok(statuses.slice(before).some((status) => status.actor === actor && status.state === 'stopped'))
  t.ok(shard.lines.every(({ at, message, ids }) => typeof at === 'string' && typeof message === 'string' && typeof ids === 'object'))
})

t.test('a shard ends with its parent', async (t) => {
  const shard = new Shard('--venue', venue, '--keys', keysFile, '--actors', vault)
  await shard.ready()
  // Not the 'close' event: Node does not emit it for a child whose channel its parent has closed.
  const exited = once(shard.process, 'exit')
  shard.process.disconnect()
  t.same(await exited, [exitCodes.drained, null])
})

t.test('snapshots are taken beside running actors, in a thread of their own, and a new owner begins from them', async (t) => {
  await ensureStreams(client, subjects)
  const log = new LogLines()
  const data = { venue: venueFile(server.url), keys: await threadKeys(vault), nats, node: 'a', settlementModule: new URL('../../src/settlement/host.ts', import.meta.url).href }
  const supervisor = new Supervisor([vault], data, log)
  await supervisor.start()
  const thread = new SnapshotThread(data, log)
  const status = async (): Promise<ActorStatus> => (await supervisor.status())[0]!
  const seen = new Set<number>()
  client.subscribe(subjects.answers('g2'), { callback: (_, { data: bytes }) => decode<AnswerPacket>(bytes).answers.forEach(({ request }) => seen.add(request)) })
  const work = async (count: number): Promise<void> => {
    const from = seen.size
    for (let request = from + 1; request <= from + count; request++) {
      client.publish(subjects.clients(vault), encode({ gateway: 'g2', items: [{ request, command: { kind: 'unknown' } }] }))
      await until(() => seen.has(request))
    }
  }
  let former: { record: number; time: Milliseconds } | null = null
  for (let round = 0; round < 4; round++) {
    await work(25)
    const { records } = await status()
    const taken = await thread.take(vault, 1)
    if ('fault' in taken) return t.fail(taken.fault.what)
    t.match(taken, { records, snapshot: records, former: former && { record: former.record } })
    t.ok(taken.bytes > 100)
    t.match(await thread.take(vault, 1), { ...taken, former: { record: records, time: Number } }, 'nothing new, nothing written')
    former = { record: records, time: 0 as Milliseconds }
  }
  const { records } = await status()
  await supervisor.terminate(vault)
  await until(async () => (await status()).restored === records)
  t.match(await status(), { state: 'running', records: records + 1, restored: records })
  const manager = await jetstreamManager(client)
  const kept = (await manager.streams.info(subjects.snapshotStream, { subjects_filter: subjects.allSnapshots })).state.subjects ?? {}
  t.equal(Object.keys(kept).length, 3)

  // A thread that is ended in the middle is replaced.
  const abandoned = thread.take(vault, 1)
  await thread.stop()
  await t.rejects(abandoned, { message: /the snapshot thread ended/ })
  await work(1)
  t.match(await thread.take(vault, 1), { snapshot: records + 2 })
  await t.rejects(thread.take('vault.9' as ActorName, 1), { message: /no actor vault.9/ })
  await thread.stop()
  await supervisor.drainAll(10_000)
})

t.test('an actor that became something else than its journal says is ended while it runs, stays down, and leaves the others alone', async (t) => {
  const wilful = { ...venueFile(server.url), venue: 'wilful' }
  await ensureStreams(client, new Subjects('wilful'))
  const log = new LogLines()
  const watcher = 'watcher.0' as ActorName
  const data = { venue: wilful, keys: await threadKeys(watcher, vault), nats, node: 'a', settlementModule: new URL('./wilfulWatcher.ts', import.meta.url).href }
  const supervisor = new Supervisor([watcher, vault], data, log)
  await supervisor.start()
  const of = async (actor: ActorName) => (await supervisor.status()).find((status) => status.actor === actor)
  const before = await of(vault)
  // The record of its epoch and one of its driver's input, whose effects are its own.
  await until(async () => (await of(watcher))?.records === 2)
  const thread = new SnapshotThread(data, log)
  const clock = new ManualClock(1_000_000)
  const schedule = new SnapshotSchedule({
    status: async () => [(await of(watcher))!],
    control: thread,
    distrust: (actor, fault) => supervisor.distrust(actor, fault),
    clock,
    log,
    bounds: { records: 1, bytes: Infinity },
  })
  await clock.pass(5_000)
  await until(() => log.lines.some((line) => line.includes('read once more')))
  t.equal((await of(watcher))?.state, 'running')
  await until(async () => (await clock.pass(5_000), log.lines.some((line) => line.includes('its actor is ended'))))
  t.match(log.lines.find((line) => line.includes('its actor is ended')), /"actor":"watcher.0","kind":"diverged","record":2,"reason":"it leads to the digest [0-9a-f]{16}, [0-9a-f]{16} is written"/)
  const ends = () => log.lines.filter((line) => line.includes('watcher.0') && line.includes('started again'))
  await until(() => ends().length >= 3)
  for (const line of ends()) t.match(line, /"code":65/, 'its own journal says the same at every start')
  t.not((await of(watcher))?.state, 'running')
  t.match(await of(vault), { state: 'running', epoch: before!.epoch })
  schedule.stop()
  await thread.stop()
  await supervisor.drainAll(10_000)
})

t.test('a record that is none of its own lies behind a running actor: it promises nothing more, says why and stays down; the others go on', async (t) => {
  const damaged = ['vault.0', 'vault.1', 'vault.2'] as ActorName[]
  const whole = 'vault.3' as ActorName
  const foreign = new Subjects('foreign')
  const file = join(folder, 'foreign.json')
  writeFileSync(file, JSON.stringify({ ...venueFile(server.url), venue: 'foreign', vaultPartitions: 4 }))
  const shard = new Shard('--venue', file, '--keys', keysFile, '--actors', [...damaged, whole].join())
  await shard.ready()
  const answered = new Set<number>()
  client.subscribe(foreign.answers('g3'), { callback: (_, { data }) => decode<AnswerPacket>(data).answers.forEach(({ request }) => answered.add(request)) })
  let asked = 0
  /** Something that is journaled before it is answered. */
  const ask = (actor: ActorName): number => {
    client.publish(foreign.clients(actor), encode({ gateway: 'g3', items: [{ request: ++asked, command: { kind: 'unknown' } }] }))
    return asked
  }
  const answer = async (actor: ActorName): Promise<void> => {
    const request = ask(actor)
    await until(() => answered.has(request))
  }
  for (const actor of [...damaged, whole]) for (let n = 0; n < 3; n++) await answer(actor)

  // Whoever has the password of the store can append to it: noise, what this actor has written before, and what another actor has.
  const { streams } = await jetstreamManager(client)
  const last = async (actor: ActorName): Promise<Uint8Array> => (await streams.getMessage(foreign.journalStream, { last_by_subj: foreign.journal(actor) }))!.data
  const [noise, doubled, moved] = damaged as [ActorName, ActorName, ActorName]
  const records: [ActorName, Uint8Array, RegExp][] = [
    [noise, Buffer.from('no record at all'), /^JournalFault: journal record 5: /],
    [doubled, await last(doubled), /^JournalFault: journal record 4: it stands where record 5 is expected/],
    [moved, await last(whole), /^JournalFault: journal record [45]: /],
  ]
  for (const [actor, record] of records) await jetstream(client).publish(foreign.journal(actor), record)
  const unheard = damaged.map(ask)
  const reports = (actor: ActorName): Line[] => shard.lines.filter(({ message, ids }) => message === 'failed' && ids.actor === actor)
  const starts = (actor: ActorName): Line[] => shard.lines.filter(({ message, ids }) => message === 'an actor ended and is started again' && ids.actor === actor)
  for (const [actor, , report] of records) {
    await until(() => starts(actor).length >= 2)
    t.match(reports(actor).at(-1)?.ids.reason, report)
    for (const { ids } of starts(actor)) t.equal(ids.code, 65, 'its journal says the same at every start')
  }
  await answer(whole)
  t.same(unheard.filter((request) => answered.has(request)), [], 'nothing was promised behind a record that is not its own')
  t.equal(shard.lines.filter(({ message, ids }) => message === 'running' && ids.actor === whole).length, 1, 'the others were left alone')
  for (const actor of damaged) t.equal(shard.lines.filter(({ message, ids }) => message === 'running' && ids.actor === actor).length, 1)
  shard.process.kill('SIGTERM')
  t.equal(await shard.exited, exitCodes.drained)
})

t.test('an actor that fails at every start is tried ever more slowly, and the others run', async (t) => {
  await ensureStreams(client, subjects)
  const log = new LogLines()
  const actors = ['settlement.0', 'watcher.0', vault] as ActorName[]
  const settlementModule = new URL('./brokenSettlement.ts', import.meta.url).href
  const supervisor = new Supervisor(actors, { venue: venueFile(server.url), keys: await threadKeys(...actors), nats, node: 'a', settlementModule }, log)
  let ready = false
  void supervisor.start().then(() => (ready = true))
  const ended = () => log.lines.filter((line) => line.includes('settlement.0') && line.includes('started again'))
  await until(() => ended().length === 3)
  t.match(ended(), [/"code":70,"wait_ms":100/, /"wait_ms":200/, /"wait_ms":400/])
  // One record of its epoch, one of its driver's first input.
  const of = async (actor: string) => (await supervisor.status()).find((status) => status.actor === actor)
  let watcher = await of('watcher.0')
  while (watcher?.records !== 2) {
    await delay(20)
    watcher = await of('watcher.0')
  }
  t.match(watcher, { state: 'running' })
  t.match(await of(vault), { state: 'running' })
  t.not((await of('settlement.0'))?.state, 'running')
  t.notOk(ready)
  await supervisor.drainAll(10_000)
  t.same((await supervisor.status()).map(({ state }) => state), ['stopped', 'stopped', 'stopped'])
})

t.test('an actor whose driver cannot start does not stand there as one that runs: it ends, and is tried again', async (t) => {
  await ensureStreams(client, subjects)
  const log = new LogLines()
  const watcher = 'watcher.0' as ActorName
  const file = venueFile(server.url)
  const settlementModule = new URL('../../src/settlement/host.ts', import.meta.url).href
  const wrong = { ...file, vault: { ...file.vault, contract: `C${'A'.repeat(55)}` } }
  const supervisor = new Supervisor([watcher], { venue: wrong, keys: await threadKeys(watcher), nats, node: 'a', settlementModule }, log)
  void supervisor.start()
  await until(() => log.lines.some((line) => line.includes('watcher.0') && line.includes(`"code":${exitCodes.configuration}`)))
  t.not((await supervisor.status())[0]?.state, 'running')
  await supervisor.drainAll(10_000)
})

t.test('a shard whose NATS is gone ends all the same, before whoever ends it would kill it', async (t) => {
  const away = await startNats({ password })
  const file = join(folder, 'away.json')
  writeFileSync(file, JSON.stringify(venueFile(away.url)))
  const shard = new Shard('--venue', file, '--keys', keysFile, '--actors', 'vault.0')
  await shard.ready()
  await away.stop()
  await until(() => shard.lines.some(({ message }) => message === 'the store does not answer'))
  const began = performance.now()
  shard.process.kill('SIGTERM')
  t.ok([exitCodes.drained, exitCodes.failed].includes((await shard.exited) as 0), 'by itself')
  // It has six seconds to spare.
  t.ok(performance.now() - began < 30_000, 'within the half minute that a container is given')
})
