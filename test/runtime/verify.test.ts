import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import t from 'tap'
import { clearEnvelope } from '../../src/actors/runtime/envelope.ts'
import { replicaOf } from '../../src/actors/runtime/replica.ts'
import { ensureStreams } from '../../src/actors/runtime/streams.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { verify } from '../../src/actors/runtime/verify.ts'
import { SnapshotThread } from '../../src/actors/snapshotThread.ts'
import { Supervisor } from '../../src/actors/supervisor.ts'
import { ThreadKeys } from '../../src/actors/threadKeys.ts'
import { keyPaths } from '../../src/enclave/keys.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { encode } from '../../src/protocol/codec.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { readVenue } from '../../src/protocol/venue.ts'
import { startNats } from '../nats/server.ts'
import { left, machine, Stage } from './snapshotStage.ts'
import { venueFile } from './venueFile.ts'
import { LogLines, subjects } from './world.ts'

t.setTimeout(280_000)

const verified = (stage: Stage, made = machine()) => {
  const { clock, log } = stage.world
  const replica = replicaOf(left, made, stage.envelope('record'), subjects, clock, log)
  return verify({ replica, journal: () => stage.journal.open(), shelf: { store: stage.rows, envelope: stage.envelope('snapshot') } })
}
const flipped = (bytes: Uint8Array, at: number): Uint8Array => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 4 : byte))

t.test('all there is agrees: journal and snapshots, from the oldest snapshot on', async (t) => {
  const { stage, names } = await Stage.full(true)
  const found = await verified(stage)
  t.match(found, { from: Number(names[0]!.slice(0, 16)), records: stage.journal.records.length, epoch: 1, snapshots: 2, faults: [] })
  t.match(found.digest, /^[0-9a-f]{64}$/)
  t.ok(found.firstTime !== null && found.lastTime !== null && found.firstTime <= found.lastTime)
})

t.test('a young journal is replayed from its beginning, an empty one is well', async (t) => {
  const stage = new Stage()
  t.match(await verified(stage), { from: 0, records: 0, firstTime: null, lastTime: null, faults: [] })
  const actor = await stage.start()
  await stage.live(actor)
  await stage.snapshot()
  t.match(await verified(stage), { from: 0, records: 6, snapshots: 1, faults: [] }, 'while the actor runs')
  actor.stop()
})

t.test('the first record that does not agree is named, with what is wrong', async (t) => {
  const { stage } = await Stage.full(true)
  const { records } = stage.journal
  const whole = records[25]!
  records[25] = flipped(whole, 100)
  t.match(await verified(stage), { records: 25, faults: [{ kind: 'damaged', record: 26, snapshot: null }] })
  records[25] = records[24]!
  t.match(await verified(stage), { records: 25, faults: [{ kind: 'out_of_order', record: 25 }] })
  records[25] = whole
  const forgetful = machine()
  forgetful.local = () => undefined
  t.match(await verified(stage, forgetful), { faults: [{ kind: 'diverged' }] })
})

t.test('damaged snapshots are named, and the replay goes from the next', async (t) => {
  const { stage, names } = await Stage.full(true)
  const row = stage.rows.rows.get(names[0]!)!
  row[1] = flipped(row[1]!, 1_000)
  stage.rows.rows.get(names[1]!)!.pop()
  t.match(await verified(stage), { from: Number(names[2]!.slice(0, 16)), records: 26 - 5 + 5, faults: [{ kind: 'damaged', snapshot: names[0], record: null }] }, 'one without its manifest is unfinished, not damaged')
  const left = stage.rows.rows.get(names[2]!)!
  left[2] = flipped(left[2]!, 1_000)
  t.match(await verified(stage), { records: 0, faults: [{ kind: 'damaged' }, { kind: 'damaged' }, { kind: 'beginning_missing' }] })
})

t.test('a snapshot that is whole and yet not what the journal comes to', async (t) => {
  const stage = new Stage()
  const actor = await stage.start()
  await stage.live(actor)
  const strange = machine()
  strange.snapshot = () => machine().snapshot()
  await stage.snapshot(1, strange)
  await stage.live(actor)
  actor.stop()
  t.match(await verified(stage), { records: 11, snapshots: 0, faults: [{ kind: 'diverged', snapshot: /^0+6-/ }] })
  t.equal(clearEnvelope.unwrap(stage.journal.records[5]!).heading.index, 6)
})

t.test('darkpool journal verify', async (t) => {
  const state = mkdtempSync(join(tmpdir(), 'darkpool-verify-'))
  mkdirSync(join(state, 'keys'))
  const keysFile = join(state, 'keys', 'root')
  const password = Buffer.from(await developmentKeys(keysFile).secret(keyPaths.nats)).toString('hex')
  const server = await startNats({ password })
  const nats = { servers: [server.url], user: server.user, password }
  writeFileSync(join(state, 'venue.json'), JSON.stringify(venueFile(server.url)))
  const client = await connectNats(nats, 'client')
  t.teardown(async () => {
    await client.close()
    await server.stop()
    rmSync(state, { recursive: true, force: true })
  })
  await ensureStreams(client, subjects)
  const vault = 'vault.0' as ActorName
  const pair = 'pair.XLM-USDC' as ActorName
  const venue = venueFile(server.url)
  const keys = await ThreadKeys.open(developmentKeys(keysFile), readVenue(venue), [vault, pair])
  const data = { venue, keys, nats, node: 'a', settlementModule: new URL('../../src/settlement/host.ts', import.meta.url).href }
  const supervisor = new Supervisor([vault, pair], data, new LogLines())
  await supervisor.start()
  const journalEnds = async (records: number): Promise<void> => {
    while ((await supervisor.status())[0]!.records < records) await delay(20)
  }
  for (let request = 1; request <= 5; request++) {
    client.publish(subjects.clients(vault), encode({ gateway: 'g1', items: [{ request, command: { kind: 'unknown' } }] }))
    await journalEnds(request + 1)
  }
  const thread = new SnapshotThread(data, new LogLines())
  await thread.take(vault, 1)
  await thread.take(pair, 1)
  await thread.stop()

  const darkpool = async (...args: string[]) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/darkpool.ts'), 'journal', ...args, '--state', state], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, stdout, stderr }
  }
  const all = await darkpool('verify')
  t.match(all, { code: 0, stderr: /vault\.0 …/ })
  t.match(all.stdout, /vault\.0 +1 +6 +1 .* [0-9a-f]{16} +1 +agrees/)
  t.match(all.stdout, /settlement\.0 +1 +0 +0 +— +— .*agrees/)

  await supervisor.drainAll(10_000)
  // Somebody with access to the store adds what an actor has never written.
  await jetstream(client).publish(subjects.journal(vault), clearEnvelope.wrap({ epoch: 1, index: 7, part: 0 }, new Uint8Array(44)))
  const one = await darkpool('verify', vault, '--json')
  t.equal(one.code, 1)
  t.match(JSON.parse(one.stdout), [{ actor: vault, records: 6, faults: [{ kind: 'unsealed', record: 7 }] }])
  t.match(await darkpool('verify'), { code: 1, stdout: /DOES NOT AGREE[^]*vault\.0: journal record 7: it is not sealed/ })
  t.match(await darkpool('verify', pair), { code: 0 })

  t.match(await darkpool('verify', 'pair.X'), { code: 2, stderr: /no actor pair\.X; it has vault\.0/ })
  t.match(await darkpool('check'), { code: 2, stderr: /takes verify/ })
  rmSync(keysFile)
  t.match(await darkpool('verify'), { code: 2, stderr: /no venue keys/ })
})
