import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { exitCodes } from '../../src/actors/exitCodes.ts'
import { leaseKey, readHolder } from '../../src/actors/placement/keys.ts'
import { KvStore } from '../../src/actors/placement/kvStore.ts'
import { setPin } from '../../src/actors/placement/pins.ts'
import { ownerOf } from '../../src/actors/placement/rendezvous.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import { keyPaths } from '../../src/enclave/keys.ts'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { decode } from '../../src/protocol/codec.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { ActorStatus } from '../../src/protocol/packets.ts'
import { Subjects } from '../../src/protocol/subjects.ts'
import { startNats } from '../nats/server.ts'
import { venueFile } from '../runtime/venueFile.ts'

// Shards as processes share the actors of one venue on a real nats-server.

t.setTimeout(290_000)

const actors = ['vault.0', 'vault.1', 'vault.2', 'vault.3', 'pair.XLM-USDC'] as ActorName[]
const pair = actors[4]!
const folder = mkdtempSync(join(tmpdir(), 'darkpool-nodes-'))
const keysFile = join(folder, 'keys')
const password = Buffer.from(await developmentKeys(keysFile).secret(keyPaths.nats)).toString('hex')
const server = await startNats({ password })
const venue = join(folder, 'venue.json')
writeFileSync(venue, JSON.stringify({ ...venueFile(server.url), vaultPartitions: 4 }))
const connection = await connectNats({ servers: [server.url], user: server.user, password }, 'test')
const subjects = new Subjects('test')
const store = await KvStore.open(connection, subjects, 1)
const running = new Map<ActorName, ActorStatus>()
connection.subscribe(subjects.allStatus, {
  callback: (_, { data }) => {
    const status = decode<ActorStatus>(data)
    // One that was stopped, and does not know that it was replaced, says so too.
    if (status.state === 'running' && status.epoch >= (running.get(status.actor)?.epoch ?? 0)) running.set(status.actor, status)
  },
})

class Node {
  readonly process: ChildProcess
  readonly exited: Promise<number | null>
  output = ''

  constructor(name: string) {
    this.process = fork('src/actors/shard.ts', ['--venue', venue, '--keys', keysFile, '--node', name, '--actors', actors.join()], { silent: true })
    this.process.stdout!.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    this.process.stderr!.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    this.exited = once(this.process, 'close').then(([code]) => code as number | null)
    t.teardown(() => this.process.kill('SIGKILL'))
  }
}

t.teardown(async () => {
  await connection.close()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(50)
}

/** Every actor has its lease where it belongs among these nodes, and the one that runs says that it is there. */
async function settledOn(nodes: readonly string[], pin?: string): Promise<void> {
  await until(async () => {
    const entries = await store.read()
    return actors.every((actor) => {
      const owner = ownerOf(actor, nodes, actor === pair ? pin : undefined)
      return readHolder(entries.get(leaseKey(actor)))?.node === owner && running.get(actor)?.node === owner
    })
  })
}

let a = new Node('a')

t.test('one node runs everything; a second one gets its share, by moves', async (t) => {
  await settledOn(['a'])
  t.same(actors.map((actor) => running.get(actor)!.epoch), [1, 1, 1, 1, 1])
  const b = new Node('b')
  await settledOn(['a', 'b'])
  const moved = actors.filter((actor) => ownerOf(actor, ['a', 'b']) === 'b')
  t.ok(moved.length > 0 && moved.length < actors.length, 'a test that moves some and leaves some')
  for (const actor of actors) t.equal(running.get(actor)!.epoch, moved.includes(actor) ? 2 : 1, 'who did not move was left alone')
  t.notMatch(a.output, /another writer|lease is lost|did not drain/)

  await t.test('a pin moves one actor, and back', async (t) => {
    const home = ownerOf(pair, ['a', 'b'])!
    const away = home === 'a' ? 'b' : 'a'
    await setPin(store, pair, away)
    await settledOn(['a', 'b'], away)
    await setPin(store, pair, 'nobody')
    await settledOn(['a', 'b'])
    t.equal(running.get(pair)!.node, home)
    t.notMatch(a.output + b.output, /another writer|lease is lost|did not drain/)
  })

  await t.test('a node that is stopped loses its actors, and is fenced when it wakes', async (t) => {
    const before = new Map(running)
    b.process.kill('SIGSTOP')
    await settledOn(['a'])
    b.process.kill('SIGCONT')
    await until(() => /the lease is lost|another writer/.test(b.output))
    // It is there again, so it gets its share again, in order.
    await settledOn(['a', 'b'])
    for (const actor of moved) t.equal(running.get(actor)!.epoch, before.get(actor)!.epoch + 2)
  })

  await t.test('a node that is killed is replaced, and started again takes its share', async (t) => {
    const before = new Map(running)
    a.process.kill('SIGKILL')
    await settledOn(['b'])
    for (const actor of moved) t.equal(running.get(actor)!.epoch, before.get(actor)!.epoch, 'who lives was left alone')
    a = new Node('a')
    await settledOn(['a', 'b'])
  })

  await t.test('a node that leaves in order hands over', async (t) => {
    b.process.kill('SIGTERM')
    t.equal(await b.exited, exitCodes.drained)
    await settledOn(['a'])
    t.notMatch(a.output, /another writer|lease is lost/)
  })

  await t.test('a second process of one name takes its place', async (t) => {
    const next = new Node('a')
    t.equal(await a.exited, exitCodes.fenced)
    t.match(a.output, 'another process has been started as this node')
    await settledOn(['a'])
    next.process.kill('SIGTERM')
    t.equal(await next.exited, exitCodes.drained)
  })
})
