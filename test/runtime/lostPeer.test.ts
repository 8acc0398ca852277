import t from 'tap'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { ActorStatus } from '../../src/protocol/packets.ts'
import { LedgerMachine } from './ledger.ts'
import { settle, subjects, World } from './world.ts'

const left = 'vault.0' as ActorName
const right = 'pair.X' as ActorName

async function two() {
  const world = new World()
  const start = async (name: ActorName, peer: ActorName) => {
    const actor = world.actor(name, new LedgerMachine(peer))
    await actor.start()
    await settle()
    return actor
  }
  const [sender, receiver] = [await start(left, right), await start(right, left)]
  for (let id = 1; id <= 6; id++) {
    await sender.submit({ id })
    await settle()
    await world.clock.pass(10)
  }
  return { world, sender, receiver, start }
}
const alarms = (world: World): string[] => world.log.lines.filter((line) => line.startsWith('error link'))

t.test('a receiver that comes back with less than it acknowledged is an alarm, in the log and in the status', async (t) => {
  for (const pending of [true, false]) {
    const { world, sender, receiver, start } = await two()
    receiver.stop()
    const { records } = world.journal(right)
    const end = records.splice(-3)
    if (pending) await sender.submit({ id: 7 })
    const older = await start(right, left)
    await world.clock.pass(20_000)
    t.equal(sender.status.state, 'running')
    t.same(sender.status.alarms, [{ kind: 'peer_lost_records', peer: right }])
    t.equal(alarms(world).length, 1, 'said once')
    t.match(alarms(world)[0], /"alarm":"peer_lost_records","peer":"pair.X"/)
    const said = world.network.published.findLast(({ subject }) => subject === subjects.status(left))
    t.same(decode<ActorStatus>(said!.data).alarms, sender.status.alarms)

    // Its journal is put back as it was.
    older.stop()
    records.splice(-1, 1, ...end)
    const whole = await start(right, left)
    await world.clock.pass(20_000)
    t.same(sender.status.alarms, [])
    t.same([whole.status.state, whole.status.alarms], ['running', []])
    for (const actor of [sender, whole]) actor.stop()
  }
})

t.test('an acknowledgement that was late on the way, or doubled, is none', async (t) => {
  const { world, sender, receiver } = await two()
  for (let round = 0; round < 20; round++) {
    world.network.deliver({ subject: subjects.acks(left), data: encode({ from: right, position: 1 + (round % 4) }) })
    await world.clock.pass(round * 100)
    t.same(sender.status.alarms, [])
  }
  t.same(alarms(world), [])
  for (const actor of [sender, receiver]) actor.stop()
})
