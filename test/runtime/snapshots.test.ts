import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { decode, encode } from '../../src/protocol/codec.ts'
import { left, machine, right, Stage } from './snapshotStage.ts'
import { subjects } from './world.ts'

t.setTimeout(280_000)

for (const isSealed of [false, true]) {
  const name = isSealed ? 'sealed' : 'clear'

  t.test(`${name}: a new owner begins from the newest snapshot, and is what its predecessor was`, async (t) => {
    const { stage, lived, names } = await Stage.full(isSealed)
    t.equal(names.length, 3, 'the fourth let the first go')
    t.equal(stage.journal.forgotten, Number(names[0]!.slice(0, 16)) - 1, 'the record of the oldest snapshot is the first that is left')
    const next = machine()
    const sent = stage.world.network.published.length
    const actor = await stage.start(next)
    t.equal(actor.status.records, stage.journal.records.length)
    t.same(next.snapshot(), lived.snapshot())
    // What the predecessor had sent and not heard of: the peer is asked, and gets exactly what it misses.
    const asked = stage.world.network.published.slice(sent).find(({ subject }) => subject === subjects.peers(right))
    t.same(decode(asked!.data), { from: left, first: 51, items: [] })
    stage.world.network.deliver({ subject: subjects.acks(left), data: encode({ from: right, position: 49 }) })
    t.match(decode(stage.world.network.published.at(-1)!.data), { first: 49, items: [{ id: 25 }, { id: 25 }] }, 'the packet that holds it, as it was sent before')
    actor.stop()
  })

  t.test(`${name}: whatever happens to a snapshot, an older one is taken, and the log says so`, async (t) => {
    const damages: [string, (row: Uint8Array[], older: Uint8Array[]) => void][] = [
      ['a piece is missing', (row) => void row.splice(1, 1)],
      ['a piece is doubled', (row) => void row.splice(1, 0, row[1]!)],
      ['pieces are swapped', (row) => row.splice(1, 2, row[2]!, row[1]!)],
      ['a piece is damaged', (row) => (row[2] = Uint8Array.from(row[2]!, (byte, i) => (i === 5_000 ? byte ^ 1 : byte)))],
      ['a piece is an older snapshot’s', (row, older) => (row[2] = older[2]!)],
      ['the manifest is an older snapshot’s', (row, older) => (row[row.length - 1] = older.at(-1)!)],
      ['the manifest is damaged', (row) => (row[row.length - 1] = Uint8Array.from(row.at(-1)!, (byte, i) => (i === 80 ? byte ^ 1 : byte)))],
      ['something stands behind the manifest', (row) => void row.push(row[0]!)],
      ['the machine’s part is not its own', (row) => void row.splice(0, Infinity, ...older(row))],
    ]
    const older = (row: Uint8Array[]): Uint8Array[] => row.map((piece) => piece.subarray(0, 30))
    for (const [what, damage] of damages) {
      const { stage, lived, names } = await Stage.full(isSealed)
      damage(stage.rows.rows.get(names[2]!)!, stage.rows.rows.get(names[1]!)!)
      const next = machine()
      const actor = await stage.start(next)
      t.same(next.snapshot(), lived.snapshot(), what)
      t.ok(stage.world.log.lines.some((line) => line.includes(names[2]!)), 'the log names the snapshot')
      actor.stop()
    }
  })

  t.test(`${name}: every snapshot is damaged: the whole journal, and where its beginning is gone, a clear end`, async (t) => {
    const { stage, names } = await Stage.full(isSealed)
    for (const name of names) stage.rows.rows.get(name)!.splice(1, 1)
    await t.rejects(stage.start(), { name: 'JournalFault', kind: 'beginning_missing', message: /no snapshot holds what came before/ })
    t.equal(stage.warnings().length, 3)

    const young = new Stage(isSealed)
    const lived = machine()
    const actor = await young.start(lived)
    await young.live(actor)
    await young.snapshot()
    actor.stop()
    for (const row of young.rows.rows.values()) row.splice(1, 1)
    const next = machine()
    const again = await young.start(next)
    t.same(next.snapshot(), lived.snapshot(), 'one snapshot lets nothing go')
    again.stop()
  })
}

t.test('a snapshotter is an independent check of the owner, and gives what the owner has', async (t) => {
  const stage = new Stage()
  const lived = machine()
  const actor = await stage.start(lived)
  await stage.live(actor)
  const { replica, records, snapshot } = await stage.snapshot()
  t.equal(records, stage.journal.records.length)
  t.equal(snapshot, records)
  t.same(replica.snapshot().machine, lived.snapshot())
  t.match(await stage.snapshot(), { records, snapshot, former: { record: records } }, 'nothing new, nothing written')
  t.equal(stage.rows.rows.size, 1)
  await stage.live(actor, 1)
  t.match(await stage.snapshot(100), { records: records + 1, snapshot: records }, 'too little to be worth one')
  actor.stop()
})

t.test('a snapshot is not made from a journal that its machine does not agree with, and nothing is let go', async (t) => {
  const { stage, names } = await Stage.full(false)
  const { forgotten } = stage.journal
  const forgetful = machine()
  forgetful.local = () => undefined
  await t.rejects(stage.snapshot(1, forgetful), { name: 'JournalFault', kind: 'diverged' })
  t.same([...stage.rows.rows.keys()].sort(), names)
  t.equal(stage.journal.forgotten, forgotten)
})

t.test('a snapshotter that dies between any two pieces leaves a whole venue, and the next one clears up', async (t) => {
  for (let pieces = 0; pieces <= 4; pieces++) {
    const { stage, lived, names } = await Stage.full(false)
    const { forgotten } = stage.journal
    stage.rows.failAfter = pieces
    await t.rejects(stage.snapshot(), { message: 'no answer' })
    stage.rows.failAfter = Infinity
    t.equal(stage.journal.forgotten, forgotten)
    const next = machine()
    const actor = await stage.start(next)
    t.same(next.snapshot(), lived.snapshot())
    t.equal(stage.warnings().length, 0, 'an unfinished one is not a damaged one')
    await stage.snapshot()
    actor.stop()
    const rows = [...stage.rows.rows.keys()].sort()
    t.equal(rows.length, 3)
    t.same(rows.slice(0, 2), names.slice(1), 'the unfinished one is gone, the oldest let go')
  }
})

t.test('a snapshot newer than the end of its journal: what was promised is gone, and the actor says so', async (t) => {
  const { stage } = await Stage.full(false)
  stage.journal.records.splice(-30)
  await t.rejects(stage.start(), { name: 'JournalFault', kind: 'end_missing' })
})

t.test('the wrong key', async (t) => {
  const { stage } = await Stage.full(true)
  await t.rejects(stage.start(machine(), Buffer.alloc(32, 8)), { name: 'JournalFault', kind: 'wrong_key' })
})

t.test('a store that does not answer is no reason to begin from something older', async (t) => {
  const { stage } = await Stage.full(false)
  stage.rows.last = async () => Promise.reject(new Error('no answer'))
  await t.rejects(stage.start(), { message: 'no answer' })
})

t.test('a snapshot that is let go while it is read: whoever let it go has put a newer one there', async (t) => {
  for (const piecesRead of [0, 1, 2]) {
    const { stage, names } = await Stage.full(false)
    const successor = machine()
    const lived = await stage.start(successor)
    await stage.live(lived)
    lived.stop()
    const { rows } = stage
    const read = rows.read.bind(rows)
    rows.read = async function* (name, pieces) {
      rows.read = read
      let left = piecesRead
      for await (const piece of read(name, pieces)) {
        if (left-- === 0) break
        yield piece
      }
      // A snapshotter on another node writes, finds this one damaged, and lets it go.
      await stage.snapshot()
      rows.rows.delete(name)
      throw new Error('a piece did not come')
    }
    const next = machine()
    const actor = await stage.start(next)
    t.same(next.snapshot(), successor.snapshot())
    t.notOk(rows.rows.has(names[2]!))
    t.ok(actor.status.restored > Number(names[2]!.slice(0, 16)), 'the newer one is where it began')
    t.equal(stage.warnings().length, 0, 'nothing was wrong with any')
    actor.stop()
  }
})

t.test('a snapshot that is gone before its last piece is looked at is not taken for an unfinished one', async (t) => {
  const { stage, lived } = await Stage.full(false)
  const { rows } = stage
  const last = rows.last.bind(rows)
  rows.last = async (name) => {
    rows.last = last
    // All that were listed are gone: without a second look there would be no beginning.
    const listed = [...rows.rows.keys()]
    await stage.snapshot()
    for (const old of listed) rows.rows.delete(old)
    return last(name)
  }
  const next = machine()
  const actor = await stage.start(next)
  t.same(next.snapshot(), lived.snapshot())
  actor.stop()
})

t.test('snapshots that are let go faster than they are read: the start fails, and can be tried again', async (t) => {
  const { stage } = await Stage.full(false)
  const list = stage.rows.list.bind(stage.rows)
  let looks = 0
  stage.rows.list = async () => [{ name: String(++looks).padStart(16, '0'), pieces: 4 }]
  await t.rejects(stage.start(), { name: 'Error', message: /faster than they are read/ })
  t.ok(looks < 20)
  stage.rows.list = list
  const actor = await stage.start()
  actor.stop()
})

t.test('the same history gives the same snapshot, from whatever snapshot it was replayed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 }), async (steps) => {
      const stage = new Stage()
      const actor = await stage.start()
      for (const count of steps) {
        await stage.live(actor, count)
        await stage.snapshot(1, machine(), 100)
      }
      actor.stop()
      const { replica: resumed } = await stage.snapshot(1)
      stage.rows.rows.clear()
      const { replica: whole } = await stage.snapshot(1)
      assert.deepEqual(encode(resumed.snapshot()), encode(whole.snapshot()))
    }),
    { numRuns: 20 },
  )
})
