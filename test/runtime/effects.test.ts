import t from 'tap'
import { keep_ms } from '../../src/actors/runtime/feed.ts'
import { inputTag } from '../../src/actors/runtime/record.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import type { ClientPacket } from '../../src/protocol/packets.ts'
import { LedgerMachine } from './ledger.ts'
import { readRecord, settle, subjects, World } from './world.ts'

t.setTimeout(280_000)

const left = 'vault.0' as ActorName
const right = 'pair.X' as ActorName

async function running() {
  const world = new World()
  const machine = new LedgerMachine(right, true)
  const actor = world.actor(left, machine)
  await actor.start()
  await settle()
  return { world, machine, actor, journal: world.journal(left) }
}

/** The lines of a machine that is made from the journal alone. */
async function replayed(world: World) {
  const machine = new LedgerMachine(right, true)
  const actor = world.actor(left, machine)
  await actor.start()
  actor.stop()
  return machine
}

t.test('nothing leaves before the append is acknowledged', async (t) => {
  const { world, journal, machine, actor } = await running()
  const quiet = world.network.published.length
  let durable = 0
  actor.onDurable(() => durable++)
  journal.held = true
  world.ask(left, { request: 1, command: { kind: 'add', id: 1 } }, { request: 2, command: { kind: 'pass', id: 2 } })
  const submitted = actor.submit({ id: 3 }).then(() => 'done')
  await settle()
  t.equal(machine.lines.length, 3, 'the machine has applied all of it')
  t.equal(journal.waiting, 1, 'one append is in flight')
  t.same(world.network.published.slice(quiet).filter(({ subject }) => subject !== subjects.clients(left)), [])
  t.same(world.feed(left).messages, [])
  t.equal(durable, 1, 'only the call at adding the listener')
  t.equal(await Promise.race([submitted, Promise.resolve('pending')]), 'pending')

  journal.release()
  await settle()
  t.same(world.answered(1), { ok: 1 })
  t.equal(world.network.published.filter(({ subject }) => subject === subjects.peers(right)).length, 1, 'both messages went in one packet')
  t.equal(world.feed(left).messages.length, 3)
  t.equal(durable, 2)
  t.equal(await submitted, 'done')
  actor.stop()
})

t.test('what peers say waits for company, and goes along with what may not wait', async (t) => {
  const world = new World()
  const machine = new LedgerMachine(right, true)
  const actor = world.actor(left, machine, { patience_ms: 20 })
  await actor.start()
  await settle()
  const journal = world.journal(left)
  const start = journal.records.length
  const say = (first: number) => world.network.deliver({ subject: subjects.peers(left), data: encode({ from: right, first, items: [{ id: first, reply: null }] }) })
  say(1)
  say(2)
  await settle()
  t.equal(journal.records.length, start, 'nobody waits for it, so it is not journaled alone')
  await world.clock.pass(20)
  await settle()
  t.equal(journal.records.length, start + 1, 'its time is over: both in one record')
  say(3)
  world.ask(left, { request: 1, command: { kind: 'add', id: 9 } })
  await settle()
  t.equal(journal.records.length, start + 2, 'a command takes it along')
  t.match(machine.lines.slice(-2).join(), /from pair.X 3,add 9/, 'in the order of arrival')
  journal.held = true
  world.ask(left, { request: 2, command: { kind: 'add', id: 10 } })
  await settle()
  say(4)
  journal.release()
  await settle()
  t.equal(journal.records.length, start + 3, 'what came during an append waits as well')
  say(5)
  const drained = actor.drain(1_000)
  await settle()
  await drained
  t.equal(journal.records.length, start + 4, 'an actor that drains waits for nothing')
})

t.test('one append is in flight; what arrives meanwhile is one batch', async (t) => {
  const { world, journal, actor } = await running()
  journal.held = true
  for (let id = 1; id <= 50; id++) {
    world.ask(left, { request: id, command: { kind: 'add', id } })
    await settle()
  }
  t.equal(journal.waiting, 1)
  journal.release()
  await settle()
  t.equal(journal.records.length, 3, 'the epoch, the first command, the other 49')
  t.equal(readRecord(journal.records[2]!).inputs.filter(({ tag }) => tag === inputTag.client).length, 49)
  t.equal(world.answers.length, 50)
  actor.stop()
})

t.test('an append that is refused ends the actor, and what it had not promised is dropped', async (t) => {
  const { world, journal, actor } = await running()
  journal.failure = new Error('no space left')
  const submitted = actor.submit({ id: 1 })
  world.ask(left, { request: 1, command: { kind: 'add', id: 1 } })
  await t.rejects(submitted, { message: 'vault.0 has ended' })
  t.match(await actor.ended, { message: 'no space left' })
  await settle()
  t.same(world.answers, [])
  t.same(world.feed(left).messages, [])
  t.equal(actor.status.state, 'failed')
  world.ask(left, { request: 2, command: { kind: 'add', id: 2 } })
  await settle()
  t.same(world.answers, [], 'it no longer listens')
  await t.rejects(actor.submit({ id: 2 }), { message: 'vault.0 is failed' })
})

t.test('a machine that throws ends the actor, and the input is not journaled', async (t) => {
  const { world, journal, actor } = await running()
  const records = journal.records.length
  world.ask(left, { request: 1, command: { kind: 'add', id: 1 } }, { request: 2, command: { kind: 'fail' } })
  t.match(await actor.ended, { message: /more than the machine can take/ })
  t.equal(journal.records.length, records)
  t.same(world.answers, [])
})

t.test('two owners: the older is refused at its next append, and nothing of it leaves', async (t) => {
  const { world, actor } = await running()
  const younger = world.actor(left, new LedgerMachine(right))
  await younger.start()
  const sent = world.network.published.length
  actor.submit({ id: 1 }).catch(() => undefined)
  t.match(await actor.ended, { name: 'Fenced' })
  await settle()
  t.same(
    world.network.published.slice(sent).map(({ subject }) => subject),
    [subjects.status(left)],
  )
  t.equal(younger.status.state, 'running')
  younger.stop()
})

t.test('queries see what is durable, and are not journaled', async (t) => {
  const { world, journal, actor } = await running()
  const records = journal.records.length
  world.ask(left, { request: 1, query: 'count' })
  await settle()
  t.same(world.answered(1), { ok: 0 })
  t.equal(journal.records.length, records)

  journal.held = true
  world.ask(left, { request: 2, command: { kind: 'add', id: 1 } })
  await settle()
  world.ask(left, { request: 3, query: 'count' }, { request: 4, command: { kind: 'add', id: 2 } })
  await settle()
  t.equal(world.answered(3), undefined, 'the first command is applied, but not durable')
  journal.release()
  await settle()
  t.same(world.answered(3), { ok: 2 })
  const [input] = readRecord(journal.records.at(-1)!).inputs.filter(({ tag }) => tag === inputTag.client)
  t.same(decode<ClientPacket<unknown, unknown>>(input!.bytes).items, [{ request: 4, command: { kind: 'add', id: 2 } }])

  world.ask(left, { request: 5, query: 'throw' })
  await settle()
  t.same(world.answered(5), { refused: 'internal_error' })
  t.equal(actor.status.state, 'running', 'a query changes nothing, so its failure ends nothing')
  actor.stop()
})

t.test('a deadline makes a record of its own, and a replay fires at the same time', async (t) => {
  const { world, journal, machine, actor } = await running()
  const at = (world.clock.time + 5_000) as Milliseconds
  world.ask(left, { request: 1, command: { kind: 'later', id: 7, at } })
  await settle()
  const records = journal.records.length
  await world.clock.pass(4_999)
  t.equal(journal.records.length, records)
  await world.clock.pass(1)
  t.equal(journal.records.length, records + 1)
  t.same(machine.lines, [`fired 7 ${at}`])
  await world.clock.pass(60_000)
  t.equal(journal.records.length, records + 1, 'and nothing more happens')
  actor.stop()
  t.same((await replayed(world)).lines, machine.lines)
})

t.test('a deadline is kept where the clock jumps', async (t) => {
  const { world, machine, actor } = await running()
  const at = (world.clock.time + 3_600_000) as Milliseconds
  world.ask(left, { request: 1, command: { kind: 'later', id: 7, at } })
  await settle()
  world.clock.time = at
  await world.clock.pass(1_000)
  t.equal(machine.lines.length, 1)
  actor.stop()
})

t.test('an actor that was stopped lets nothing out, not even what is durable', async (t) => {
  const { world, journal, actor } = await running()
  journal.held = true
  world.ask(left, { request: 1, command: { kind: 'pass', id: 1 } }, { request: 2, command: { kind: 'add', id: 2 } })
  await settle()
  actor.stop()
  const sent = world.network.published.length
  journal.release()
  await settle()
  t.equal(journal.records.length, 2, 'the record stands')
  t.equal(world.network.published.length, sent)
  t.same(world.feed(left).messages, [])
  t.equal((await replayed(world)).lines.length, 2)
})

t.test('after the feed stream was away, what it acknowledged lately is stored again before anything newer', async (t) => {
  const { world, actor } = await running()
  for (let id = 1; id <= 3; id++) await actor.submit({ id })
  await settle()
  await world.clock.pass(keep_ms)
  await actor.submit({ id: 4 })
  await actor.submit({ id: 5 })
  await settle()
  const feed = world.feed(left)
  t.same(feed.messages.map(({ seq }) => seq), [1, 2, 3, 4, 5])
  // Killed before it had written the last two.
  feed.messages.length = 3
  feed.away()
  await actor.submit({ id: 6 })
  await settle()
  t.same(feed.messages.map(({ seq }) => seq).slice(3).sort((a, b) => a - b).at(-1), 6)
  t.same(feed.read?.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6], 'no reader misses anything')
  // Much later nothing of it is kept.
  await world.clock.pass(keep_ms)
  await actor.submit({ id: 7 })
  await settle()
  const before = feed.messages.length
  await world.clock.pass(keep_ms)
  await actor.submit({ id: 8 })
  await settle()
  feed.away()
  await settle()
  t.ok(feed.messages.length - before <= 2, 'what is beyond doubt is not stored again')
})

t.test('how long a stored feed message is kept is no matter of what the clock is set to', async (t) => {
  const { world, actor } = await running()
  const feed = world.feed(left)
  for (let id = 1; id <= 2; id++) await actor.submit({ id })
  await settle()
  // Set forward by a minute: the stream has had them for no longer than before.
  world.clock.time += 60_000
  await actor.submit({ id: 3 })
  await settle()
  feed.messages.length = 0
  feed.away()
  await settle()
  t.same(feed.read?.map(({ seq }) => seq), [1, 2, 3], 'nothing was taken for written')
  // And back by a day: what has been there for long is let go all the same.
  world.clock.time -= 24 * 3_600_000
  await world.clock.pass(keep_ms)
  await actor.submit({ id: 4 })
  await settle()
  feed.messages.length = 0
  feed.away()
  await settle()
  t.same(feed.messages.map(({ seq }) => seq), [4])
  actor.stop()
})

t.test('what was acknowledged in the journal is neither sent nor stored again after a restart', async (t) => {
  const { world, actor } = await running()
  for (let id = 1; id <= 5; id++) await actor.submit({ id })
  await settle()
  world.network.deliver({ subject: subjects.acks(left), data: encode({ from: right, position: 5 }) })
  // What a stream acknowledged a moment ago may still be lost; only later does a record say that it is stored.
  await world.clock.pass(keep_ms)
  await actor.submit({ id: 6 })
  await settle()
  const stored = world.feed(left).messages.length
  t.equal(stored, 6)
  actor.stop()
  const sent = world.network.published.length
  const again = world.actor(left, new LedgerMachine(right, true))
  await again.start()
  await settle()
  t.same(
    world.network.published.slice(sent).map(({ subject, data }) => [subject, decode<object>(data)]).filter(([subject]) => subject === subjects.peers(right)),
    [[subjects.peers(right), { from: left, first: 7, items: [] }]],
    'the peer is only asked where it stands',
  )
  t.equal(world.feed(left).messages.length, stored + 1, 'the last batch alone was not yet acknowledged in a record')
  world.network.deliver({ subject: subjects.acks(left), data: encode({ from: right, position: 5 }) })
  const resent = world.network.published.at(-1)!
  t.match(decode(resent.data), { first: 6, items: [{ id: 6 }] })
  again.stop()
})

t.test('time never goes back, within a run and across restarts', async (t) => {
  const { world, journal, machine, actor } = await running()
  world.ask(left, { request: 1, command: { kind: 'add', id: 1 } })
  await settle()
  world.clock.time -= 3_600_000
  world.ask(left, { request: 2, command: { kind: 'add', id: 2 } })
  await settle()
  actor.stop()
  world.clock.time -= 3_600_000
  const again = await replayed(world)
  t.same(again.lines, machine.lines)
  const times = journal.records.map((record) => readRecord(record).time)
  t.equal(times.length, 4)
  t.same(times, [...times].sort((a, b) => a - b))
})

t.test('malformed packets are dropped and never journaled', async (t) => {
  const { world, journal, actor } = await running()
  const records = journal.records.length
  const bad: [string, Uint8Array][] = [
    [subjects.clients(left), new Uint8Array(0)],
    [subjects.clients(left), new Uint8Array([9, 1, 2, 3])],
    [subjects.clients(left), new Uint8Array([1, 0xc1])],
    [subjects.clients(left), encode(null)],
    [subjects.clients(left), encode({ gateway: 'a b', items: [{ request: 1, command: 1 }] })],
    [subjects.clients(left), encode({ gateway: 'g1', items: [] })],
    [subjects.clients(left), encode({ gateway: 'g1', items: [null] })],
    [subjects.clients(left), encode({ gateway: 'g1', items: [{ request: 1 }] })],
    [subjects.clients(left), encode({ gateway: 'g1', items: [{ request: -1, command: 1 }] })],
    [subjects.clients(left), encode({ gateway: 'g1', items: [{ request: 1, command: 1, query: 1 }] })],
    [subjects.clients(left), encode({ gateway: 'g1', items: Array.from({ length: limits.packetItems + 1 }, (_, request) => ({ request, command: 1 })) })],
    [subjects.peers(left), encode({ from: '*.>', first: 1, items: [1] })],
    [subjects.peers(left), encode({ from: right, first: 0, items: [1] })],
    [subjects.peers(left), encode({ from: right, first: 1.5, items: [1] })],
    [subjects.peers(left), encode({ from: right, first: 1, items: 'x' })],
    [subjects.acks(left), encode({ from: right, position: '1' })],
    [subjects.acks(left), encode([])],
  ]
  for (const [subject, data] of bad) world.network.deliver({ subject, data })
  await settle()
  t.equal(journal.records.length, records)
  t.equal(actor.status.state, 'running')
  t.equal(world.log.lines.filter((line) => line.includes('malformed')).length, bad.length)
  actor.stop()
})

t.test('an acknowledgement of what was never sent ends the actor: its journal has lost its end', async (t) => {
  for (const first of [true, false]) {
    const { world, actor } = await running()
    if (first) await actor.submit({ id: 1 })
    world.network.deliver({ subject: subjects.acks(left), data: encode({ from: right, position: 2 }) })
    t.match(await actor.ended, { message: /applied 2 messages, [01] were sent/ })
  }
})

t.test('beyond its mailbox an actor refuses commands at once', async (t) => {
  const { world, journal, actor } = await running()
  journal.held = true
  world.ask(left, { request: 0, command: { kind: 'add', id: 0 } })
  await settle()
  const packets = limits.mailboxInputs / limits.packetItems
  const packet = Array.from({ length: limits.packetItems }, (_, request) => ({ request: request + 1, command: { kind: 'add', id: 1 } }))
  for (let i = 0; i < packets; i++) world.ask(left, ...packet)
  t.equal(actor.status.backlog, limits.mailboxInputs)
  t.same(world.answers, [])
  world.ask(left, { request: 9_999, command: { kind: 'add', id: 1 } })
  t.same(world.answers, [{ from: left, request: 9_999, answer: { refused: 'venue_overloaded' } }])
  // A peer's packet is not refused: it is sent again.
  world.network.deliver({ subject: subjects.peers(left), data: encode({ from: right, first: 1, items: [{ id: 1, reply: null }] }) })
  t.equal(actor.status.backlog, limits.mailboxInputs)
  journal.release()
  for (let i = 0; i < 40; i++) await settle()
  t.equal(actor.status.backlog, 0)
  t.ok(journal.records.every((record) => readRecord(record).inputs.length <= limits.batchInputs))
  t.equal(world.answers.length, 2 + limits.mailboxInputs)
  actor.stop()
})

t.test('a feed that cannot be stored holds back commands, then goes on in order', async (t) => {
  const { world, actor } = await running()
  world.feed(left).failing = 'lost'
  for (let i = 0; i < limits.outboxMessages / limits.packetItems; i++) {
    world.ask(left, ...Array.from({ length: limits.packetItems }, (_, request) => ({ request, command: { kind: 'add', id: i } })))
    await settle()
  }
  world.ask(left, { request: 77_777, command: { kind: 'add', id: 1 } })
  t.same(world.answered(77_777), { refused: 'venue_overloaded' })
  world.feed(left).failing = 'in doubt'
  await world.clock.pass(5_000)
  world.feed(left).failing = 'no'
  await world.clock.pass(10_000)
  t.equal(world.feed(left).read?.length, limits.outboxMessages, 'no number is skipped')
  actor.stop()
})

t.test('drain finishes what waits, refuses what comes, and ends', async (t) => {
  const { world, journal, actor } = await running()
  journal.held = true
  world.ask(left, { request: 1, command: { kind: 'add', id: 1 } })
  await settle()
  world.ask(left, { request: 2, command: { kind: 'add', id: 2 } })
  const drained = actor.drain(1_000)
  world.ask(left, { request: 3, command: { kind: 'add', id: 3 } })
  t.same(world.answered(3), { refused: 'venue_not_ready' })
  journal.release()
  await drained
  t.same([world.answered(1), world.answered(2)], [{ ok: 1 }, { ok: 2 }])
  t.equal(await actor.ended, null)
  t.equal(actor.status.state, 'stopped')
})

t.test('drain does not wait longer than it may', async (t) => {
  const { world, journal, actor } = await running()
  journal.held = true
  actor.submit({ id: 1 }).catch(() => undefined)
  await settle()
  const drained = actor.drain(1_000)
  await world.clock.pass(1_000)
  await drained
  t.equal(actor.status.state, 'stopped')
})

t.test('status is said every second and when it changes', async (t) => {
  const { world, actor } = await running()
  const said = (): unknown[] => world.network.published.filter(({ subject }) => subject === subjects.status(left)).map(({ data }) => decode(data))
  await world.clock.pass(3_000)
  t.ok(said().length >= 4)
  t.match(said().at(-1), { actor: left, state: 'running', records: 1, restored: 0, backlog: 0 })
  actor.stop()
  t.match(said().at(-1), { state: 'stopped' })
})
