import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Actor } from '../../src/actors/runtime/actor.ts'
import { clearEnvelope } from '../../src/actors/runtime/envelope.ts'
import type { SnapshotShelf } from '../../src/actors/runtime/snapshot.ts'
import type { ActorName, Milliseconds } from '../../src/protocol/identity.ts'
import { LedgerMachine } from './ledger.ts'
import { settle, World } from './world.ts'

const names = ['vault.0', 'pair.X'] as ActorName[]

type Step =
  | { readonly do: 'pass' | 'add' | 'later'; readonly side: number; readonly count: number }
  /** What becomes of a message under way: delivered, lost, delivered and kept to come again. `pick` makes the order arbitrary. */
  | { readonly do: 'deliver' | 'lose' | 'double'; readonly pick: number; readonly count: number }
  | { readonly do: 'crash'; readonly side: number; readonly rightAway: boolean }
  | { readonly do: 'wait'; readonly span_ms: number }
  | { readonly do: 'clock'; readonly jump_ms: number }
  | { readonly do: 'hold' | 'release'; readonly side: number }
  /** One is taken, and all but the newest two are let go with the journal before them. */
  | { readonly do: 'snapshot'; readonly side: number }
  | { readonly do: 'feed'; readonly failing: 'no' | 'lost' | 'in doubt' }

const side = fc.integer({ min: 0, max: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('pass' as const, 'add' as const, 'later' as const), side, count: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('deliver' as const, 'deliver' as const, 'lose' as const, 'double' as const), pick: fc.nat(), count: fc.integer({ min: 1, max: 10 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), side, rightAway: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), span_ms: fc.integer({ min: 1, max: 3_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clock' as const), jump_ms: fc.integer({ min: -100_000, max: 100_000 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const), side }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('snapshot' as const), side }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('feed' as const), failing: fc.constantFrom('no' as const, 'lost' as const, 'in doubt' as const) }) },
)

/** One of two actors, through its crashes. */
class Side {
  readonly name: ActorName
  readonly peer: ActorName
  readonly world: World
  machine!: LedgerMachine
  actor!: Actor

  get shelf(): SnapshotShelf {
    return { store: this.world.snapshots(this.name), envelope: clearEnvelope }
  }

  constructor(world: World, which: number) {
    this.world = world
    this.name = names[which]!
    this.peer = names[1 - which]!
  }

  async start(): Promise<void> {
    this.machine = new LedgerMachine(this.peer, true)
    // One of the two waits for company, as a vault actor does.
    this.actor = this.world.actor(this.name, this.machine, { patience_ms: this.name === names[0] ? 2 : 0, snapshots: this.shelf })
    await this.actor.start()
  }

  async snapshot(): Promise<void> {
    await this.world.snapshot(this.name, new LedgerMachine(this.peer, true), 2)
  }

  /** What journal and snapshots say. */
  async replayed(): Promise<LedgerMachine> {
    const machine = new LedgerMachine(this.peer, true)
    const actor = this.world.actor(this.name, machine, { snapshots: this.shelf })
    await actor.start()
    actor.stop()
    return machine
  }
}

async function run(steps: readonly Step[]): Promise<void> {
  const world = new World()
  const { network, clock } = world
  const sides = [new Side(world, 0), new Side(world, 1)]
  const asked = new Map<number, { readonly kind: 'pass' | 'add' | 'later'; readonly of: Side }>()
  network.queued = true
  for (const side of sides) await side.start()

  for (const step of steps) {
    switch (step.do) {
      case 'pass':
      case 'add':
      case 'later':
        for (let i = 0; i < step.count; i++) {
          const request = asked.size + 1
          const at = (clock.time + (request % 7) * 100) as Milliseconds
          asked.set(request, { kind: step.do, of: sides[step.side]! })
          world.ask(sides[step.side]!.name, { request, command: { kind: step.do, id: request, at } })
        }
        break
      case 'deliver':
      case 'lose':
      case 'double':
        for (let i = 0; i < step.count && network.queue.length > 0; i++) {
          const at = step.pick % network.queue.length
          const message = network.queue[at]!
          if (step.do !== 'double') network.queue.splice(at, 1)
          if (step.do !== 'lose') network.deliver(message)
          if (i % 3 === 0) await settle()
        }
        break
      case 'crash': {
        const side = sides[step.side]!
        // Between the append and its acknowledgement, or after: either way the next owner goes by the journal.
        side.actor.stop()
        if (!step.rightAway) await settle()
        world.journal(side.name).release()
        await settle()
        await side.start()
        break
      }
      case 'snapshot':
        await sides[step.side]!.snapshot()
        break
      case 'wait':
        await clock.pass(step.span_ms)
        break
      case 'clock':
        clock.time += step.jump_ms
        break
      case 'hold':
        world.journal(sides[step.side]!.name).held = true
        break
      case 'release':
        world.journal(sides[step.side]!.name).release()
        break
      case 'feed':
        for (const { name } of sides) world.feed(name).failing = step.failing
        break
    }
    await settle()
  }

  // The faults end: everything must get where it should. Clocks that went back are ahead again.
  for (const { name } of sides) {
    world.feed(name).failing = 'no'
    world.journal(name).release()
  }
  clock.time += 10_000_000
  for (let i = 0; i < 40; i++) {
    while (network.queue.length > 0) {
      network.deliver(network.queue.shift()!)
      await settle()
    }
    await clock.pass(500)
  }
  for (const [which, side] of sides.entries()) {
    assert.equal(side.actor.status.state, 'running', world.log.lines.at(-1))
    const passed = side.machine.lines.filter((line) => line.startsWith('pass ')).map((line) => Number(line.split(' ')[1]))
    assert.deepEqual(sides[1 - which]!.machine.received, passed, 'each message once, in the order it was sent')
  }
  for (const side of sides) {
    side.actor.stop()
    const replayed = await side.replayed()
    assert.deepEqual(replayed.lines, side.machine.lines, 'a replay is what was lived')
    assert.deepEqual(replayed.snapshot(), side.machine.snapshot())
    const read = world.feed(side.name).read?.map((message) => ('trades' in message ? message.trades[0] : ''))
    assert.deepEqual(read, side.machine.lines, 'the feed tells all of it, in order')
  }
  for (const { request, answer } of world.answers) {
    if (!('ok' in answer)) continue
    const { kind, of } = asked.get(request)!
    const found = of.machine.lines.filter((line) => line.startsWith(`${kind === 'later' ? 'fired' : kind} ${request} `))
    assert.ok(found.length >= 1, `what was answered is there: ${kind} ${request}`)
  }
}

// A count given by hand may take as long as it takes.
t.setTimeout(process.env.RUNS === undefined ? 300_000 : 0)
const runs = Number(process.env.RUNS ?? 400)
const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) }

t.test('exactly once, in order, whatever the network and crashes do', async (t) => {
  t.pass(`${runs} runs`)
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), run), { numRuns: runs, ...seed })
})
