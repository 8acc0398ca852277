import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { clearEnvelope } from '../../src/actors/runtime/envelope.ts'
import type { Envelope } from '../../src/actors/runtime/envelope.ts'
import { JournalFault } from '../../src/actors/runtime/journalFault.ts'
import type { FaultKind } from '../../src/actors/runtime/journalFault.ts'
import type { Machine } from '../../src/actors/runtime/machine.ts'
import { systemRandom } from '../../src/actors/runtime/random.ts'
import { SealedEnvelope } from '../../src/actors/runtime/sealedEnvelope.ts'
import { JournalKeys } from '../../src/enclave/journalKeys.ts'
import { encode } from '../../src/protocol/codec.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import { LedgerMachine } from './ledger.ts'
import { settle, subjects, World } from './world.ts'

t.setTimeout(280_000)

const left = 'vault.0' as ActorName
const right = 'pair.X' as ActorName
const machine = (): LedgerMachine => new LedgerMachine(right, true)

/** An actor's journal after some of everything: commands, messages both ways, acknowledgements, timers, a second owner. */
async function lived(envelope: Envelope): Promise<{ world: World; records: readonly Uint8Array[] }> {
  const world = new World()
  for (let owner = 0; owner < 2; owner++) {
    const actor = world.actor(left, machine(), { envelope })
    await actor.start()
    for (let i = 1; i <= 4; i++) {
      const id = owner * 10 + i
      world.ask(left, { request: id, command: { kind: 'add', id } }, { request: id, command: { kind: 'later', id, at: (world.clock.time + 50) as Milliseconds } })
      world.network.deliver({ subject: subjects.peers(left), data: encode({ from: right, first: owner * 4 + i, items: [{ id, reply: null }] }) })
      await actor.submit({ id })
      world.network.deliver({ subject: subjects.acks(left), data: encode({ from: right, position: owner * 4 + i }) })
      await world.clock.pass(30)
    }
    await world.clock.pass(1_000)
    actor.stop()
  }
  return { world, records: [...world.journal(left).records] }
}

/** What ends an actor that is started on these records. */
async function fault(world: World, records: readonly Uint8Array[], envelope: Envelope, made: Machine = machine()): Promise<JournalFault | null> {
  const journal = world.journal(left)
  journal.records.splice(0, Infinity, ...records)
  const actor = world.actor(left, made, { envelope })
  try {
    await actor.start()
  } catch (error) {
    assert(error instanceof JournalFault, String(error))
    assert.equal(journal.records.length, records.length, 'it has written nothing')
    assert.equal(await actor.ended, error)
    return error
  } finally {
    actor.stop()
    await settle()
  }
  return null
}

const sealedWith = (secret: string, actor = left, venue = 'test'): Envelope =>
  new SealedEnvelope({ keys: JournalKeys.only(Buffer.from(secret.padEnd(32, '.'))), venue, actor, kind: 'record', random: systemRandom })
const kinds: readonly (readonly [string, Envelope])[] = [
  ['clear', clearEnvelope],
  ['sealed', sealedWith('secret')],
]

for (const [name, envelope] of kinds) {
  t.test(`${name}: any byte that is changed in any record is found, in that record`, async () => {
    const { world, records } = await lived(envelope)
    await fc.assert(
      fc.asyncProperty(fc.nat(records.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, at, by) => {
        const damaged = Uint8Array.from(records[which]!)
        damaged[at % damaged.length]! ^= by
        const found = await fault(world, records.with(which, damaged), envelope)
        assert.equal(found?.record, which + 1)
        assert(['damaged', 'unknown_version', 'unsealed', 'sealed'].includes(found.kind), found.message)
      }),
      { numRuns: 300 },
    )
  })

  t.test(`${name}: a record cut short or with something behind it is found`, async () => {
    const { world, records } = await lived(envelope)
    await fc.assert(
      fc.asyncProperty(fc.nat(records.length - 1), fc.nat(), fc.uint8Array({ maxLength: 40 }), async (which, length, more) => {
        const whole = records[which]!
        const torn = Uint8Array.from([...whole.subarray(0, length % whole.length), ...more])
        const found = await fault(world, records.with(which, torn), envelope)
        assert.equal(found?.record, which + 1)
        const long = await fault(world, records.with(which, Uint8Array.from([...whole, 0, ...more])), envelope)
        assert.equal(long?.record, which + 1)
      }),
      { numRuns: 100 },
    )
  })

  t.test(`${name}: records that are missing, doubled or swapped are found where it begins`, async (t) => {
    const { world, records } = await lived(envelope)
    const last = records.length - 1
    for (let i = 0; i < last; i++) {
      const missing = await fault(world, records.toSpliced(i, 1), envelope)
      t.match(missing, { kind: i === 0 ? 'beginning_missing' : 'out_of_order', record: i === 0 ? 2 : i + 2 })
      t.match(await fault(world, records.toSpliced(i, 0, records[i]!), envelope), { kind: 'out_of_order', record: i + 1 })
      const swapped = await fault(world, records.with(i, records[i + 1]!).with(i + 1, records[i]!), envelope)
      t.match(swapped, { kind: i === 0 ? 'beginning_missing' : 'out_of_order' })
    }
    t.equal(await fault(world, records, envelope), null, 'whole, it is replayed')
  })

  t.test(`${name}: a record of another actor's or another history's is found`, async (t) => {
    const { world, records } = await lived(envelope)
    // As in the first, except for one command: what follows it hangs on another digest.
    const strange = new World()
    const actor = strange.actor(left, machine(), { envelope })
    await actor.start()
    await actor.submit({ id: 99 })
    for (let i = 0; i < records.length; i++) await actor.submit({ id: i })
    actor.stop()
    const fork = strange.journal(left).records
    const found = await fault(world, [...records.slice(0, 3), ...fork.slice(3)], envelope)
    t.ok(found !== null && ['diverged', 'out_of_order'].includes(found.kind))
    // Its record, of the same number and owner, in another actor's journal.
    const neighbour = await lived(envelope)
    const there = neighbour.world.journal(right)
    there.records.push(...records)
    const moved = neighbour.world.actor(right, new LedgerMachine(left, true), { envelope })
    await t.rejects(moved.start(), { name: 'JournalFault', record: 1 })
  })

  t.test(`${name}: a machine that does not do again what it did is stopped at that record, and the record is named`, async (t) => {
    const { world, records } = await lived(envelope)
    const silent = new LedgerMachine(right, false)
    const found = await fault(world, records, envelope, silent)
    t.match(found, { kind: 'diverged', record: 2 })
    t.match(found?.message, /leads to the digest [0-9a-f]{16}, [0-9a-f]{16} is written/)
    const refusing = machine()
    refusing.local = () => {
      throw new Error('not any more')
    }
    t.match(await fault(world, records, envelope, refusing), { kind: 'diverged', message: /refused now: Error: not any more/ })
  })
}

t.test('another key, venue or actor than the one a journal was sealed for', async (t) => {
  const { world, records } = await lived(sealedWith('secret'))
  t.equal(await fault(world, records, sealedWith('secret')), null, 'another object with the same key reads it')
  t.match(await fault(world, records, sealedWith('other')), { kind: 'wrong_key', record: 1, message: /sealed with the key [0-9a-f]{16}, those given are version 1 \([0-9a-f]{16}\)/ })
  t.match(await fault(world, records, sealedWith('secret', right)), { kind: 'damaged', record: 1 })
  t.match(await fault(world, records, sealedWith('secret', left, 'other')), { kind: 'damaged', record: 1 })
  t.throws(() => sealedWith('a key that is longer than thirty-two bytes'), { message: /32 bytes/ })
})

t.test('a sealed journal takes no readable record, a readable one no sealed record', async (t) => {
  for (const [first, second, kind] of [
    [sealedWith('secret'), clearEnvelope, 'unsealed'],
    [clearEnvelope, sealedWith('secret'), 'sealed'],
  ] as const) {
    const { world, records } = await lived(first)
    const last = clearEnvelope === second ? records.at(-1)! : records[0]!
    const { heading, body } = first.unwrap(last)
    // The next record of a journal that goes on as it is, but wrapped the other way: what somebody with access to the store would add.
    const added = second.wrap({ ...heading, index: records.length + 1 }, body)
    t.match(await fault(world, [...records, added], first), { kind, record: records.length + 1 })
    t.match(await fault(world, records, second), { kind: kind === 'sealed' ? 'unsealed' : 'sealed', record: 1 }, 'nor does it go on the other way')
  }
})

t.test('nothing that was journaled can be read without the key', async (t) => {
  const [clear, sealed] = [await lived(clearEnvelope), await lived(sealedWith('secret'))]
  const holds = (records: readonly Uint8Array[], text: string): boolean => records.some((record) => Buffer.from(record).includes(text))
  // Long enough that no ciphertext has them by chance.
  for (const text of ['pair.X', 'command', 'later']) {
    t.ok(holds(clear.records, text), `${text} is in the readable one`)
    t.notOk(holds(sealed.records, text), `${text} is not in the sealed one`)
  }
})

t.test('no key meets a nonce twice: not across owners, nor in racing ones, nor when an old disk comes back', async (t) => {
  const world = new World()
  const nonces = new Set<string>()
  let wrapped = 0
  /** Wrapped by an owner, whether or not it was ever stored. */
  const watched = (): Envelope => {
    const envelope = sealedWith('secret')
    return {
      overhead: envelope.overhead,
      unwrap: (bytes) => envelope.unwrap(bytes),
      wrap: (heading, body) => {
        const bytes = Buffer.from(envelope.wrap(heading, body))
        wrapped++
        nonces.add(bytes.subarray(26, 50).toString('hex'))
        return bytes
      },
    }
  }
  const start = async () => {
    const actor = world.actor(left, machine(), { envelope: watched() })
    await actor.start()
    return actor
  }
  for (let round = 0; round < 5; round++) {
    const first = await start()
    await first.submit({ id: round })
    const old = [...world.journal(left).records]
    const second = await start()
    for (let i = 0; i < 3; i++) await second.submit({ id: i })
    await t.rejects(first.submit({ id: 99 }), 'the older of two is fenced, and what it wrapped was not stored')
    second.stop()
    world.journal(left).records.splice(0, Infinity, ...old)
  }
  t.equal(wrapped, 5 * (2 + 1 + 4))
  t.equal(nonces.size, wrapped, 'salt and counter together are new each time')
})

t.test('a bad journal ends its own actor and no other', async (t) => {
  const { world, records } = await lived(clearEnvelope)
  const other = world.actor(right, new LedgerMachine(left, true))
  await other.start()
  const found = await fault(world, records.toSpliced(3, 1), clearEnvelope)
  const kind: FaultKind | undefined = found?.kind
  t.equal(kind, 'out_of_order')
  t.ok(world.log.lines.some((line) => line.startsWith('error actor failed') && line.includes('record 5')), 'the log names the record')
  t.equal(other.status.state, 'running')
  await other.submit({ id: 1 })
  other.stop()
})
