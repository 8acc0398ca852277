import t from 'tap'
import { encode } from '../../src/protocol/codec.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import { LedgerMachine } from './ledger.ts'
import { settle, subjects, World } from './world.ts'

t.setTimeout(280_000)

const first = 'vault.0' as ActorName
const middle = 'pair.X' as ActorName
const last = 'settlement.0' as ActorName

/** Sends on every message that it hears. */
class Relay extends LedgerMachine {
  override message: LedgerMachine['message'] = (from, message, effects) => {
    this.lines.push(`from ${from} ${message.id}`)
    effects.send(last, message)
  }
}

/** Three actors in a row: the first sends what it is given, the middle one passes it on. */
async function row(outbox: number, more: { room?: (from: ActorName) => boolean } = {}) {
  const world = new World()
  const start = async <M extends LedgerMachine>(name: ActorName, machine: M, parts: object = {}) => {
    const actor = world.actor(name, machine, parts)
    await actor.start()
    await settle()
    return { actor, machine }
  }
  const open = { first: await start(first, new LedgerMachine(middle)), middle: await start(middle, new Relay(last), { bounds: { outbox } }) }
  const startLast = () => start(last, new LedgerMachine(middle), more)
  let id = 0
  const give = async (count: number) => {
    for (const end = id + count; id < end; await settle()) await open.first.actor.submit({ id: ++id })
  }
  const all = () => Array.from({ length: id }, (_, n) => n + 1)
  const journaled = () => world.journal(middle).records.length
  return { world, start, startLast, give, all, journaled, ...open }
}

t.test('an actor whose peer is away takes as much as it may, and no more, however long that lasts', async (t) => {
  const { world, startLast, give, all, ...row3 } = await row(5)
  await give(12)
  t.same(row3.middle.machine.received, [1, 2, 3, 4, 5])
  const records = row3.journaled()
  for (let minute = 0; minute < 60; minute++) {
    await give(1)
    await world.clock.pass(60_000)
  }
  t.same(row3.middle.machine.received, [1, 2, 3, 4, 5])
  t.equal(row3.journaled(), records, 'nor does its journal grow')
  t.equal(row3.middle.actor.status.backlog, 0, 'and nothing waits inside')
  const end = await startLast()
  await world.clock.pass(60_000)
  t.same(end.machine.received, all(), 'then all of it goes through, once, in order')
  for (const { actor } of [row3.first, row3.middle, end]) actor.stop()
})

t.test('who was turned away goes on at once, without waiting for its next question', async (t) => {
  const { world, startLast, give, all, ...row3 } = await row(5)
  await give(8)
  // The sender's patience has come to its longest: its next question is seconds away.
  await world.clock.pass(30_000)
  const end = await startLast()
  await world.clock.pass(1_000)
  t.same(end.machine.received, all())
  for (const { actor } of [row3.first, row3.middle, end]) actor.stop()
})

t.test('an actor that is held up stays so after a restart, and its successor goes on', async (t) => {
  const { world, start, startLast, give, all, ...row3 } = await row(5)
  await give(8)
  row3.middle.actor.stop()
  const again = await start(middle, new Relay(last), { bounds: { outbox: 5 } })
  await world.clock.pass(60_000)
  t.same(again.machine.received, [1, 2, 3, 4, 5])
  const end = await startLast()
  await world.clock.pass(60_000)
  t.same(end.machine.received, all())
  for (const { actor } of [row3.first, again, end]) actor.stop()
})

t.test('a driver waits for room, and is told where its actor ends instead', async (t) => {
  const { world, startLast, middle: { actor, machine } } = await row(3)
  const done: number[] = []
  const submitted = [1, 2, 3, 4, 5].map((id) => actor.submit({ id }).then(() => done.push(id)))
  await settle()
  // All at once, and before any of them was applied, so all of them were let in; what comes now waits.
  t.same(done, [1, 2, 3, 4, 5])
  submitted.push(actor.submit({ id: 6 }).then(() => done.push(6)))
  await world.clock.pass(60_000)
  t.equal(done.length, 5)
  const end = await startLast()
  await world.clock.pass(60_000)
  await Promise.all(submitted)
  t.same(end.machine.received, [1, 2, 3, 4, 5, 6])
  end.actor.stop()
  await Promise.all([7, 8, 9].map((id) => actor.submit({ id })))
  const refused = t.rejects(actor.submit({ id: 10 }), { message: /pair.X is stopped/ })
  await world.clock.pass(1_000)
  actor.stop()
  await refused
  t.equal(machine.lines.includes('local 10'), false)
})

t.test('a machine without room for one peer still hears the others', async (t) => {
  let room = false
  const { world, start, give, all, ...row3 } = await row(1_000, {})
  const end = await start(last, new LedgerMachine(middle), { room: (from: ActorName) => room || from !== middle })
  await give(3)
  world.network.deliver({ subject: subjects.peers(last), data: encode({ from: 'watcher.0', first: 1, items: [{ id: 77, reply: null }] }) })
  await world.clock.pass(10_000)
  t.same(end.machine.received, [77])
  room = true
  await world.clock.pass(10_000)
  t.same(end.machine.received, [77, ...all()])
  for (const { actor } of [row3.first, row3.middle, end]) actor.stop()
})

t.test('a feed that cannot be stored holds up peers as well, later than commands', async (t) => {
  const world = new World()
  const machine = new LedgerMachine(middle, true)
  const actor = world.actor(first, machine)
  await actor.start()
  await settle()
  world.feed(first).failing = 'lost'
  let position = 1
  const heap = async (messages: number): Promise<void> => {
    for (const end = position + messages; position < end; position += limits.packetItems) {
      const items = Array.from({ length: limits.packetItems }, (_, n) => ({ id: position + n, reply: null }))
      world.network.deliver({ subject: subjects.peers(first), data: encode({ from: middle, first: position, items }) })
      await settle()
    }
  }
  await heap(limits.outboxMessages)
  world.ask(first, { request: 1, command: { kind: 'add', id: 1 } })
  t.same(world.answered(1), { refused: 'venue_overloaded' })
  await heap(limits.outboxMessages)
  t.equal(machine.received.length, 2 * limits.outboxMessages)
  const full = position
  await heap(limits.packetItems)
  t.equal(machine.received.length, 2 * limits.outboxMessages, 'no more')
  position = full
  world.feed(first).failing = 'no'
  await world.clock.pass(60_000)
  await heap(limits.packetItems)
  t.equal(machine.received.length, 2 * limits.outboxMessages + limits.packetItems)
  await world.clock.pass(60_000)
  t.equal(world.feed(first).read?.length, machine.received.length)
  actor.stop()
})

t.test('a peer that leaves what it is sent is an alarm while it does', async (t) => {
  const world = new World()
  const actor = world.actor(first, new LedgerMachine(middle))
  await actor.start()
  await settle()
  const items = Array.from({ length: limits.packetItems }, (_, request) => ({ request, command: { kind: 'pass', id: request } }))
  for (let sent = 0; sent < limits.outboxMessages; sent += limits.packetItems) {
    world.ask(first, ...items)
    await settle()
  }
  await world.clock.pass(1_000)
  t.same(actor.status.alarms, [{ kind: 'peer_behind', peer: middle }])
  const peer = world.actor(middle, new LedgerMachine(first))
  await peer.start()
  await world.clock.pass(60_000)
  t.same(actor.status.alarms, [])
  t.equal(world.log.lines.filter((line) => line.includes('does not take what it is sent')).length, 1, 'said once')
  for (const each of [actor, peer]) each.stop()
})

t.test('commands are refused by name while the journal stores nothing, and taken again when it does', async (t) => {
  const world = new World()
  const actor = world.actor(first, new LedgerMachine(middle))
  await actor.start()
  const journal = world.journal(first)
  journal.held = true
  world.ask(first, { request: 1, command: { kind: 'add', id: 1 } })
  await settle()
  await world.clock.pass(2_900)
  world.ask(first, { request: 2, command: { kind: 'add', id: 2 } })
  t.same(actor.status.alarms, [])
  await world.clock.pass(200)
  t.same(actor.status.alarms, [{ kind: 'journal_stalled' }])
  world.ask(first, { request: 3, command: { kind: 'add', id: 3 } })
  t.same(world.answers, [{ from: first, request: 3, answer: { refused: 'venue_overloaded' } }], 'at once, and the others wait: they may yet take effect')
  journal.release()
  for (let n = 0; n < 4; n++) await settle()
  t.same([1, 2].map((request) => world.answered(request)), [{ ok: 1 }, { ok: 2 }])
  world.ask(first, { request: 4, command: { kind: 'add', id: 4 } })
  await settle()
  t.same(world.answered(4), { ok: 4 })
  t.same(actor.status.alarms, [])
  actor.stop()
})
