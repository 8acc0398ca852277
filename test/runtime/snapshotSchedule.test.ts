import t from 'tap'
import type { Taken } from '../../src/actors/snapshotControl.ts'
import { SnapshotSchedule } from '../../src/actors/snapshotSchedule.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import type { ActorStatus } from '../../src/protocol/packets.ts'
import { LogLines, ManualClock, settle } from './world.ts'

const bounds = { records: 100, bytes: 10_000 }

/** One actor and whoever takes its snapshots, both under the test's hand. */
class Stage {
  status: ActorStatus = { actor: 'vault.0' as ActorName, node: 'a', epoch: 1, state: 'running', records: 0, restored: 0, bytes: 0, backlog: 0, alarms: [] }
  readonly taken: number[] = []
  readonly leasts: number[] = []
  readonly distrusted: unknown[] = []
  looks = 0
  outdated: () => Promise<boolean> = async () => true
  answer: () => Promise<Taken> = async () => ({ records: this.status.records, snapshot: this.status.records, bytes: 7, former: null })
  readonly clock = new ManualClock(1_000_000)
  readonly log = new LogLines()
  readonly schedule: SnapshotSchedule

  constructor(reseals?: boolean) {
    this.schedule = new SnapshotSchedule({
      status: async () => [this.status],
      control: {
        take: async (_, least) => (this.taken.push(this.status.records), this.leasts.push(least), this.answer()),
        outdated: async () => (this.looks++, this.outdated()),
      },
      distrust: async (actor, fault) => void this.distrusted.push([actor, fault]),
      clock: this.clock,
      log: this.log,
      bounds,
      ...(reseals !== undefined && { reseals }),
    })
  }

  /** The actor has come so far, and some time passes. */
  async at(records: number, more: Partial<ActorStatus> = {}, span_ms = 5_000): Promise<void> {
    this.status = { ...this.status, records, ...more }
    await this.clock.pass(span_ms)
    await settle()
  }
}

t.test('a snapshot is due by records or by bytes since the last one', async (t) => {
  const stage = new Stage()
  await stage.at(99, { bytes: 9_999 })
  t.same(stage.taken, [])
  await stage.at(100)
  t.same(stage.taken, [100])
  await stage.at(199, { bytes: 19_998 })
  t.same(stage.taken, [100])
  await stage.at(199, { bytes: 19_999 })
  t.same(stage.taken, [100, 199])
  stage.schedule.stop()
  await stage.at(1_000)
  t.same(stage.taken, [100, 199], 'nothing after the stop')
})

t.test('a new owner counts bytes anew, and may have begun from a newer snapshot', async (t) => {
  const stage = new Stage()
  await stage.at(150, { bytes: 9_000 })
  await stage.at(200, { bytes: 500, restored: 150 })
  t.same(stage.taken, [150])
  await stage.at(210, { bytes: 10_400 })
  t.same(stage.taken, [150, 210])
  // Another node has taken one meanwhile.
  await stage.at(330, { restored: 300, bytes: 10 })
  t.same(stage.taken, [150, 210])
  await stage.at(400, { restored: 300 })
  t.same(stage.taken, [150, 210, 400])
})

t.test('an actor that does not run is left alone', async (t) => {
  const stage = new Stage()
  await stage.at(500, { state: 'replaying' })
  t.same(stage.taken, [])
  await stage.at(500, { state: 'running' })
  t.same(stage.taken, [500])
})

t.test('one that fails is said, and tried again after a minute', async (t) => {
  const stage = new Stage()
  stage.answer = async () => Promise.reject(new Error('record 7: it leads elsewhere'))
  await stage.at(100)
  await stage.at(110)
  t.same(stage.taken, [100])
  t.match(stage.log.lines, [/^error snapshots no snapshot can be taken .*record 7/])
  await stage.at(120, {}, 60_000)
  t.same(stage.taken, [100, 120])
})

t.test('an actor whose journal is at fault is ended, once a second reading says so', async (t) => {
  const stage = new Stage()
  const { answer } = stage
  const fault = { kind: 'diverged', record: 7, what: 'it leads elsewhere' } as const
  const faulty = async (): Promise<Taken> => ({ fault })
  stage.answer = faulty
  await stage.at(100)
  t.same(stage.distrusted, [])
  t.match(stage.log.lines, [/^warn snapshots .*"kind":"diverged","record":7,"reason":"it leads elsewhere"/])
  // What passes by itself was a store that was just changing.
  stage.answer = answer
  await stage.at(101)
  t.same(stage.taken, [100, 101])
  stage.answer = faulty
  await stage.at(201)
  t.same(stage.distrusted, [], 'once is not twice in a row')
  await stage.at(202)
  t.same(stage.distrusted, [['vault.0', fault]])
  t.match(stage.log.lines.at(-1), /^error snapshots .*"actor":"vault.0","kind":"diverged","record":7/)
  await stage.at(203, { state: 'failed' })
  await stage.at(400, { state: 'running' })
  t.same(stage.taken, [100, 101, 201, 202], 'its replay will say more than another reading')
})

t.test('what an older key has sealed is stored anew, as often as snapshots are kept, and is looked at no more then', async (t) => {
  const stage = new Stage(true)
  stage.outdated = async () => Promise.reject(new Error('no answer'))
  await stage.at(10)
  t.same(stage.taken, [])
  t.match(stage.log.lines, [/^warn snapshots it is not known which keys an actor needs/])
  stage.outdated = async () => true
  for (let n = 0; n < 2; n++) await stage.at(10)
  t.same(stage.leasts, [0, 0])
  stage.outdated = async () => false
  const { looks } = stage
  for (let n = 0; n < 3; n++) await stage.at(11)
  t.same([stage.leasts, stage.looks], [[0, 0], looks + 1])

  const stubborn = new Stage(true)
  for (let n = 0; n < 6; n++) await stubborn.at(10)
  t.same([stubborn.leasts, stubborn.looks], [[0, 0, 0], 3], 'and never for ever')
  await stubborn.at(120)
  t.same(stubborn.leasts.at(-1), 1)

  const plain = new Stage()
  await plain.at(10)
  t.equal(plain.looks, 0, 'without an older version there is nothing to look for')
})

t.test('an operator gets one at once, the same that others wait for, and then the next is due anew', async (t) => {
  const stage = new Stage()
  await stage.at(10)
  const { promise, resolve } = Promise.withResolvers<Taken>()
  stage.answer = () => promise
  const both = Promise.all([stage.schedule.demand(stage.status.actor), stage.schedule.demand(stage.status.actor)])
  await settle()
  // What is due meanwhile waits its turn.
  await stage.at(100)
  t.same(stage.taken, [10])
  resolve({ records: 10, snapshot: 10, bytes: 7, former: { record: 3, time: 5 as Milliseconds } })
  t.same(await both, Array.from({ length: 2 }, () => ({ records: 10, snapshot: 10, bytes: 7, former: { record: 3, time: 5 } })))
  await settle()
  t.same(stage.taken, [10, 100])
  await t.rejects(stage.schedule.demand('pair.X' as ActorName), { code: 'actor_unavailable' })
  stage.status = { ...stage.status, state: 'replaying' }
  await t.rejects(stage.schedule.demand(stage.status.actor), { code: 'actor_unavailable' })
  stage.status = { ...stage.status, state: 'running' }
  stage.schedule.stop()
  await t.rejects(stage.schedule.demand(stage.status.actor), { code: 'actor_unavailable' })
})

t.test('an operator hears why there is none', async (t) => {
  const stage = new Stage()
  await stage.at(10)
  stage.answer = async () => Promise.reject(new Error('no answer'))
  await t.rejects(stage.schedule.demand(stage.status.actor), { code: 'snapshot_failed' })
  t.match(stage.log.lines, [/^error snapshots no snapshot can be taken .*no answer/])
  const fault = { kind: 'damaged', record: 7, what: 'not the bytes that were written' } as const
  const answers: (() => Promise<Taken>)[] = [async () => ({ fault }), async () => ({ records: 10, snapshot: 10, bytes: 7, former: null })]
  stage.answer = () => answers.shift()!()
  t.match(await stage.schedule.demand(stage.status.actor), { snapshot: 10 }, 'a second reading decides')
  t.same(stage.distrusted, [])
  stage.answer = async () => ({ fault })
  await t.rejects(stage.schedule.demand(stage.status.actor), { code: 'journal_at_fault', detail: 'damaged' })
  t.same(stage.distrusted, [['vault.0', fault]], 'and the actor is ended, as it would be when one is due')
})
