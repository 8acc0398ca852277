import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { leaseKey } from '../../src/actors/placement/keys.ts'
import { KvStore } from '../../src/actors/placement/kvStore.ts'
import { Lease, lease_s } from '../../src/actors/placement/lease.ts'
import { setPin } from '../../src/actors/placement/pins.ts'
import type { Entry } from '../../src/actors/placement/store.ts'
import { connectNats } from '../../src/actors/runtime/transport.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { Subjects } from '../../src/protocol/subjects.ts'
import { startNats } from '../nats/server.ts'

t.setTimeout(280_000)

const server = await startNats()
const connection = await connectNats({ servers: [server.url], user: server.user, password: server.password }, 'test')
const store = await KvStore.open(connection, new Subjects('test'), 1)
t.teardown(async () => {
  await connection.close()
  await server.stop()
})

const a = { node: 'a', instance: 'a1' }
const b = { node: 'b', instance: 'b1' }
const later_ms = 10_000
const look = async (key: string): Promise<Entry | undefined> => (await store.read()).get(key)
const take = async (key: string, holder: { node: string; instance: string }): Promise<Lease | null> => Lease.take(store, key, holder, await look(key), 0, () => false)

t.test('an empty bucket is read as empty, and opened again as it is', async (t) => {
  t.equal((await store.read()).size, 0)
  await KvStore.open(connection, new Subjects('test'), 1)
})

t.test('one holds it; another gets it when it is given back', async (t) => {
  const key = leaseKey('vault.0' as ActorName)
  const first = await take(key, a)
  t.ok(first)
  t.equal(await take(key, b), null)
  t.equal(await Lease.take(store, key, b, undefined, 0, () => false), null, 'also where it was not seen')
  t.equal(await first!.renew(await look(key), later_ms), 'held')
  const renewal = first!.renew(await look(key), later_ms * 2)
  const release = first!.release()
  await Promise.all([renewal, release])
  t.equal((await look(key))!.value, null, 'given back in the middle of a renewal')
  const second = await take(key, b)
  t.ok(second)
  t.equal(await second!.renew(await look(key), later_ms), 'held')
})

t.test('it lapses; who comes back late has lost it, and cannot take it back', async (t) => {
  const key = leaseKey('pair.XLM-USDC' as ActorName)
  const first = await take(key, a)
  const old = await look(key)
  while ((await look(key))?.value === JSON.stringify(a)) await delay(50)
  const second = await take(key, b)
  t.ok(second)
  t.equal(await first!.renew(old, later_ms), 'unknown', 'by an old look: refused')
  t.equal(await first!.renew(await look(key), later_ms), 'lost')
  t.equal((await look(key))!.value, JSON.stringify(b))
})

t.test('one that lapsed while the store was away, and that nobody took, is still its holder’s', async (t) => {
  const key = leaseKey('vault.1' as ActorName)
  const lease = await take(key, a)
  await delay((lease_s + 1) * 1_000)
  t.not((await look(key))?.value, JSON.stringify(a))
  t.equal(await lease!.renew(await look(key), later_ms), 'held')
  t.equal((await look(key))?.value, JSON.stringify(a))
})

t.test('what a node that is gone holds is taken without waiting; if it lives after all, it has lost it', async (t) => {
  const key = leaseKey('vault.3' as ActorName)
  const first = await take(key, a)
  t.ok(await Lease.take(store, key, b, await look(key), 0, (node) => node === 'a'))
  t.equal(await first!.renew(await look(key), later_ms), 'lost')
})

t.test('a node’s next life takes over from the one before, which notices', async (t) => {
  const key = leaseKey('vault.2' as ActorName)
  const before = await take(key, a)
  t.ok(await take(key, { node: 'a', instance: 'a2' }))
  t.equal(await before!.renew(await look(key), later_ms), 'lost')
})

t.test('pins are set, changed and taken away', async (t) => {
  const actor = 'pair.XLM-USDC' as ActorName
  for (const node of ['a', 'b', 'b', null, 'a']) {
    await setPin(store, actor, node)
    t.equal((await look(`pin.${actor}`))?.value ?? null, node)
  }
})
