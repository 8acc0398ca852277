import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import t from 'tap'
import { leaseKey, readHolder } from '../../src/actors/placement/keys.ts'
import { KvStore } from '../../src/actors/placement/kvStore.ts'
import { setPin } from '../../src/actors/placement/pins.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { keyPaths } from '../../src/enclave/keys.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { ActorStatus, AnswerPacket } from '../../src/protocol/packets.ts'
import { Subjects } from '../../src/protocol/subjects.ts'
import { startNatsCluster } from '../nats/cluster.ts'
import { venueFile } from '../runtime/venueFile.ts'

// Two shards on three nats-servers, of which one is lost.

t.setTimeout(280_000)

const vault = 'vault.0' as ActorName
const pair = 'pair.XLM-USDC' as ActorName
const folder = mkdtempSync(join(tmpdir(), 'darkpool-replicated-'))
const keysFile = join(folder, 'keys')
const password = Buffer.from(await developmentKeys(keysFile).secret(keyPaths.nats)).toString('hex')
const servers = await startNatsCluster(3, { password })
const { user } = servers[0]!
const urls = servers.map(({ url }) => url)
const file = venueFile(urls[0]!)
const venue = join(folder, 'venue.json')
writeFileSync(venue, JSON.stringify({ ...file, nats: { ...file.nats, servers: urls, replicas: 3 } }))
const connection = await connectNats({ servers: urls, user, password }, 'test')
const subjects = new Subjects('test')

t.teardown(async () => {
  await connection.close()
  for (const server of servers) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

t.test('the loss of one server of three stops nothing', async (t) => {
  const manager = await jetstreamManager(connection, { checkAPI: false })
  const eventually = async (attempt: () => Promise<boolean>): Promise<void> => {
    for (;;) {
      // A cluster that elects a leader answers nobody for a moment.
      if (await attempt().catch(() => false)) return
      await delay(100)
    }
  }
  await eventually(async () => (await manager.getAccountInfo()).api.total >= 0)
  const running = new Map<ActorName, ActorStatus>()
  connection.subscribe(subjects.allStatus, {
    callback: (_, { data }) => {
      const status = decode<ActorStatus>(data)
      if (status.state === 'running') running.set(status.actor, status)
    },
  })
  const answered = new Set<number>()
  connection.subscribe(subjects.answers('g1'), { callback: (_, { data }) => decode<AnswerPacket>(data).answers.forEach(({ request }) => answered.add(request)) })
  let request = 0
  /** A command is answered once it is in the journal. */
  const journaled = (): Promise<void> => {
    request++
    return eventually(async () => {
      connection.publish(subjects.clients(vault), encode({ gateway: 'g1', items: [{ request, command: { kind: 'unknown' } }] }))
      await delay(100)
      return answered.has(request)
    })
  }
  for (const node of ['a', 'b']) {
    const shard = fork('src/actors/shard.ts', ['--venue', venue, '--keys', keysFile, '--node', node, '--actors', `${vault},${pair}`], { silent: true })
    shard.stdout!.resume()
    shard.stderr!.resume()
    t.teardown(async () => {
      if (shard.exitCode !== null) return
      shard.kill('SIGKILL')
      await new Promise((resolve) => shard.once('exit', resolve))
    })
  }
  await eventually(async () => running.has(vault) && running.has(pair))
  await journaled()
  const store = await KvStore.open(connection, subjects, 3)
  for (const stream of [subjects.journalStream, subjects.snapshotStream, subjects.feedStream, `KV_${subjects.placementBucket}`]) {
    t.equal((await manager.streams.info(stream)).config.num_replicas, 3, stream)
  }

  // The one that leads the journal, where that can be known: the hardest to lose.
  const leader = (await manager.streams.info(subjects.journalStream)).cluster?.leader
  const lost = servers[Number(leader?.slice(1) ?? 0)]!
  await lost.kill()
  await journaled()

  const to = running.get(pair)!.node === 'a' ? 'b' : 'a'
  await eventually(async () => setPin(store, pair, to).then(() => true))
  await eventually(async () => running.get(pair)!.node === to && readHolder((await store.read()).get(leaseKey(pair)))?.node === to)
  t.pass('a market moves with two servers of three')

  await lost.restart()
  await journaled()
  t.equal(running.get(vault)!.state, 'running')
})
