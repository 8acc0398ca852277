import fc from 'fast-check'
import t from 'tap'
import { SteadyClock } from '../../src/actors/runtime/steadyClock.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import { LedgerMachine } from './ledger.ts'
import { ManualClock, settle, World } from './world.ts'

t.setTimeout(280_000)

const DAY_ms = 24 * 3_600_000

t.test('never back, never still, and never behind the machine', async (t) => {
  const moves = fc.array(fc.record({ span_ms: fc.nat(20_000), jump_ms: fc.integer({ min: -DAY_ms, max: DAY_ms }) }), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(moves, async (all) => {
      const machine = new ManualClock(1_700_000_000_000)
      const clock = new SteadyClock(machine)
      let last = clock.now()
      for (const { span_ms, jump_ms } of all) {
        const ahead_ms = last - machine.time
        await machine.pass(span_ms)
        machine.time += jump_ms
        const now = clock.now()
        if (now < machine.time) throw new Error('behind the machine')
        if (now < last + Math.floor(span_ms / 2)) throw new Error('it stood still or went back')
        if (jump_ms === 0 && now - machine.time > Math.ceil(Math.max(0, ahead_ms - span_ms / 2))) throw new Error('what it is ahead does not shrink')
        last = now
      }
    }),
  )
  t.pass()
})

t.test('as late as it is told to be, and not earlier', (t) => {
  const machine = new ManualClock(1_000)
  const clock = new SteadyClock(machine)
  clock.startFrom(5_000 as Milliseconds)
  t.equal(clock.now(), 5_000)
  clock.startFrom(2_000 as Milliseconds)
  t.equal(clock.now(), 5_000)
  t.end()
})

const left = 'vault.0' as ActorName
const right = 'pair.X' as ActorName

t.test('the machine is set back a day: deadlines come, and lost messages are sent again, as if it was not', async (t) => {
  for (const restarts of [false, true]) {
    const world = new World()
    const machine = new LedgerMachine(right)
    let sender = world.actor(left, machine)
    await sender.start()
    await settle()
    world.network.queued = true
    world.ask(left, { request: 1, command: { kind: 'pass', id: 1 } }, { request: 2, command: { kind: 'later', id: 2, at: (world.clock.time + 2_000) as Milliseconds } })
    for (const sent of world.network.queue.splice(0)) world.network.deliver(sent)
    await settle()
    world.network.queue.length = 0
    world.network.queued = false

    world.clock.time -= DAY_ms
    const heard = new LedgerMachine(left)
    const receiver = world.actor(right, heard)
    await receiver.start()
    const last = restarts ? new LedgerMachine(right) : machine
    if (restarts) {
      sender.stop()
      sender = world.actor(left, last)
      await sender.start()
    }
    await world.clock.pass(20_000)
    t.match(heard.lines.join(), /from vault.0 1/, 'what was lost on its way')
    t.match(last.lines.join(), /fired 2/, 'what was due')
    sender.stop()
    receiver.stop()
  }
})
