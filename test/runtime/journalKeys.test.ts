import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import type { Actor } from '../../src/actors/runtime/actor.ts'
import { systemRandom } from '../../src/actors/runtime/random.ts'
import { replicaOf } from '../../src/actors/runtime/replica.ts'
import { isOutdated, sealedVersions } from '../../src/actors/runtime/resealing.ts'
import { keyIdOf, SealedEnvelope } from '../../src/actors/runtime/sealedEnvelope.ts'
import { takeSnapshot } from '../../src/actors/runtime/snapshotter.ts'
import { journalKeys, JournalKeys } from '../../src/enclave/journalKeys.ts'
import { encode } from '../../src/protocol/codec.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import { LedgerMachine } from './ledger.ts'
import { left, right } from './snapshotStage.ts'
import { settle, subjects, World } from './world.ts'

// One version of the journal key seals, others open: a new one comes without anything being carried anywhere, and an old one goes when nothing needs it.

t.setTimeout(280_000)

const secrets = new Map(Array.from({ length: 12 }, (_, n) => [`darkpool/v${n + 1}/journal`, systemRandom(32)]))
const keysOf = (keys: VenueFile['keys']): Promise<JournalKeys> => journalKeys({ secret: async (path) => secrets.get(path)! }, keys === undefined ? {} : { keys })
const idOf = (version: number): string => JournalKeys.only(secrets.get(`darkpool/v${version}/journal`)!).sealing.id
const machine = (): LedgerMachine => new LedgerMachine(right, true)

/** One actor's journal and snapshots, for nodes of different configurations. */
class Stage {
  readonly world = new World()
  readonly rows = this.world.snapshots(left)
  readonly journal = this.world.journal(left)
  #next = 0

  async start(keys: JournalKeys, made = machine()): Promise<Actor> {
    const envelope = (kind: 'record' | 'snapshot') => new SealedEnvelope({ keys, venue: 'test', actor: left, kind, random: systemRandom })
    const actor = this.world.actor(left, made, { envelope: envelope('record'), snapshots: { store: this.rows, envelope: envelope('snapshot') } })
    await actor.start()
    await settle()
    return actor
  }

  async live(actor: Actor, steps = 3): Promise<void> {
    for (let i = 0; i < steps; i++) {
      const id = ++this.#next
      this.world.ask(left, { request: id, command: { kind: 'pass', id } })
      await actor.submit({ id })
      this.world.network.deliver({ subject: subjects.acks(left), data: encode({ from: right, position: 2 * id - 1 }) })
    }
    await settle()
  }

  snapshot(keys: JournalKeys, least: number) {
    const envelope = (kind: 'record' | 'snapshot') => new SealedEnvelope({ keys, venue: 'test', actor: left, kind, random: systemRandom })
    const { clock, log } = this.world
    const replica = replicaOf(left, machine(), envelope('record'), subjects, clock, log)
    return takeSnapshot({ replica, journal: this.journal.open(), shelf: { store: this.rows, envelope: envelope('snapshot') }, kept: 3, random: systemRandom, log }, least)
  }

  sealed = async (keys: JournalKeys) => [...(await sealedVersions(this.journal.open(), { store: this.rows }, keys))].sort()
  outdated = (keys: JournalKeys) => isOutdated(this.journal.open(), { store: this.rows }, keys)
  /** Of the records from the oldest that is left: by version. */
  versions = () => this.journal.records.slice(this.journal.forgotten).map((record) => [1, 2, 3, 4, 5, 6, 7, 8].find((version) => idOf(version) === keyIdOf(record)))
}

t.test('a new version seals what comes, older ones open what is stored, and that is stored anew until nothing needs them', async (t) => {
  const stage = new Stage()
  const lived = machine()
  const first = await stage.start(await keysOf(undefined), lived)
  await stage.live(first)
  await stage.snapshot(await keysOf({}), 1)
  await stage.live(first)
  first.stop()
  const old = stage.journal.records.length
  t.same(await stage.sealed(await keysOf({})), [1])

  const keys = await keysOf({ journal: 2 })
  const next = machine()
  const second = await stage.start(keys, next)
  t.same(next.snapshot(), lived.snapshot(), 'what the old key sealed is there')
  t.same(stage.versions(), [...Array<number>(old).fill(1), 2])
  t.ok(await stage.outdated(keys))
  t.match(await stage.snapshot(keys, 1), { snapshot: old + 1 })
  t.match(await stage.snapshot(keys, 1), { records: old + 1 }, 'without new records there is nothing to store')
  t.equal(stage.rows.rows.size, 2)
  for (const rows of [3, 3]) {
    t.ok(await stage.outdated(keys))
    await stage.snapshot(keys, 0)
    t.equal(stage.rows.rows.size, rows)
  }
  t.notOk(await stage.outdated(keys), 'as many as are kept, and the journal before them is let go')
  t.same(await stage.sealed(keys), [2])
  await stage.live(second)
  second.stop()

  const third = machine()
  const last = await stage.start(await keysOf({ journal: 2, journalOldest: 2 }), third)
  t.same(third.snapshot(), next.snapshot(), 'the first version is needed no more')
  last.stop()
})

t.test('a key that is not there is named, and nothing is written', async (t) => {
  const stage = new Stage()
  const actor = await stage.start(await keysOf({ journal: 3 }))
  await stage.live(actor)
  actor.stop()
  const { length } = stage.journal.records
  for (const [keys, given] of [[{ journal: 1 }, [1, 2]], [{ journal: 5, journalOldest: 4 }, [4, 5, 6]], [{ journal: 11 }, [4, 5, 6, 7, 8, 9, 10, 11, 12]]] as const) {
    const said = given.map((version) => `version ${version} (${idOf(version)})`).join(', ')
    await t.rejects(stage.start(await keysOf(keys)), { name: 'JournalFault', kind: 'wrong_key', record: 1, message: `journal record 1: it is sealed with the key ${idOf(3)}, those given are ${said}` })
    t.same(await stage.sealed(await keysOf(keys)), [null])
  }
  t.equal(stage.journal.records.length, length)
  await t.rejects(stage.snapshot(await keysOf({}), 1), { name: 'JournalFault', kind: 'wrong_key' })
  t.equal(stage.rows.rows.size, 0)
})

t.test('which key a record is sealed with is part of what is sealed', async (t) => {
  const stage = new Stage()
  const actor = await stage.start(await keysOf({ journal: 1 }))
  await stage.live(actor)
  actor.stop()
  const record = Buffer.from(stage.journal.records[1]!)
  const at = record.indexOf(Buffer.from(idOf(1), 'hex'))
  Buffer.from(idOf(2), 'hex').copy(record, at)
  // As somebody would who knows the form: the checksum is behind id, salt and counter.
  record.writeUInt32BE(crc32(record.subarray(0, at + 32)), at + 32)
  stage.journal.records[1] = record
  t.equal(keyIdOf(record), idOf(2))
  await t.rejects(stage.start(await keysOf({ journal: 1 })), { name: 'JournalFault', kind: 'damaged', record: 2, message: /its seal is broken/ })
})

t.test('nodes are changed one after another: whoever takes over goes on with the newer version', async () => {
  // Each step: a node of the older or the newer configuration takes over, snapshots are taken by one of the two, or all nodes have been changed and the next version begins.
  const step = fc.record({ newer: fc.boolean(), snapshotBy: fc.option(fc.boolean()), raise: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const stage = new Stage()
      let version = 1
      let before: Uint8Array | null = null
      for (const { newer, snapshotBy, raise } of steps) {
        // Processes of their own: nothing is remembered from one to the next but what is stored.
        const node = (isNewer: boolean) => keysOf({ journal: version + Number(isNewer) })
        const made = machine()
        const actor = await stage.start(await node(newer), made)
        if (before !== null) assert.deepEqual(made.snapshot(), before)
        await stage.live(actor, 1)
        if (snapshotBy !== null) await stage.snapshot(await node(snapshotBy), 1)
        await stage.live(actor, 1)
        before = made.snapshot()
        actor.stop()
        const versions = stage.versions()
        assert.deepEqual(versions, versions.toSorted((a, b) => a! - b!), 'versions only rise along a journal')
        if (raise && version < 6) version++
      }
    }),
    { numRuns: 60 },
  )
})

t.test('versions of a venue file', async (t) => {
  const versions = async (keys: VenueFile['keys']) => (await keysOf(keys)).all.map(({ version }) => version)
  t.same(await versions(undefined), [1, 2], 'the next one too: nodes that are changed earlier seal with it')
  t.same(await versions({ journal: 3 }), [1, 2, 3, 4])
  t.same(await versions({ journal: 3, journalOldest: 3 }), [3, 4])
  t.same(await versions({ journal: 10 }), [3, 4, 5, 6, 7, 8, 9, 10, 11])
  t.throws(() => new JournalKeys(2, new Map([[1, systemRandom(32)]])), /current version/)
  t.throws(() => JournalKeys.only(systemRandom(31)), /32 bytes/)
})
