import fc from 'fast-check'
import t from 'tap'
import { digestOf } from '../../simulator/digest.ts'
import { Host } from '../../simulator/host.ts'
import { Random } from '../../simulator/random.ts'
import { BEGIN_us, Scheduler } from '../../simulator/scheduler.ts'
import { Trace } from '../../simulator/trace.ts'
import { decode, encode } from '../../src/protocol/codec.ts'

t.setTimeout(280_000)

t.test('events come by time, and those of one time in the order in which they were made', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ at: fc.nat(20), cancelled: fc.boolean(), more: fc.array(fc.nat(20), { maxLength: 3 }) }), { maxLength: 60 }), async (planned) => {
      const scheduler = new Scheduler(new Trace(BEGIN_us))
      const happened: [number, number][] = []
      const expected: { at: number; order: number }[] = []
      let order = 0
      const plan = (at: number, run: () => void): (() => void) => {
        const mine = order++
        expected.push({ at: scheduler.now_us + at, order: mine })
        return scheduler.after(at, 'x', 'y', () => {
          happened.push([scheduler.now_us, mine])
          run()
        })
      }
      for (const { at, cancelled, more } of planned) {
        const mine = order
        const cancel = plan(at, () => more.forEach((later) => plan(later, () => undefined)))
        if (!cancelled) continue
        cancel()
        expected.splice(expected.findIndex((event) => event.order === mine), 1)
      }
      await scheduler.run(() => true)
      const sorted = expected.sort((a, b) => a.at - b.at || a.order - b.order).map((event): [number, number] => [event.at, event.order])
      if (JSON.stringify(sorted) !== JSON.stringify(happened)) throw new Error('another order')
    }),
  )
  t.pass()
})

t.test('everything that awaits an event runs before the next one', async (t) => {
  const scheduler = new Scheduler(new Trace(BEGIN_us))
  const said: string[] = []
  const wait = (delay_us: number): Promise<void> => new Promise((resolve) => void scheduler.after(delay_us, 'x', 'y', resolve))
  const walk = async (name: string): Promise<void> => {
    for (let n = 0; n < 3; n++) {
      await wait(10)
      for (let hop = 0; hop < 50; hop++) await Promise.resolve()
      said.push(`${name}${n}`)
    }
  }
  const all = Promise.all([walk('a'), walk('b')])
  await scheduler.run(() => true)
  await all
  t.same(said, ['a0', 'b0', 'a1', 'b1', 'a2', 'b2'])
})

t.test('chance is the same for the same seed, another for another, and as likely as it says', (t) => {
  const [one, same, other] = [new Random('1'), new Random('1'), new Random('2')]
  const draw = (random: Random): number[] => Array.from({ length: 100 }, () => random.below(1_000))
  const first = draw(one)
  t.same(draw(same), first)
  t.notSame(draw(other), first)
  t.notSame(draw(one.fork('a')), draw(one.fork('b')))
  t.same(draw(one.fork('a')), draw(new Random('1').fork('a')), 'a stream of its own, whatever was drawn before')
  const random = new Random('3')
  const hits = Array.from({ length: 100_000 }, () => random.chance(0.1)).filter(Boolean).length
  t.ok(hits > 9_500 && hits < 10_500)
  const counts = Array.from({ length: 10 }, () => 0)
  for (let n = 0; n < 100_000; n++) counts[random.below(10)]!++
  t.ok(counts.every((count) => count > 9_500 && count < 10_500))
  for (let n = 0; n < 1_000; n++) t.ok(random.between(3, 5) >= 3 && random.between(3, 5) <= 5)
  t.equal(random.hex(64).length, 64)
  t.end()
})

t.test('a digest tells messages apart, and survives the codec', (t) => {
  const messages = fc.record({ kind: fc.constantFrom('a', 'b'), id: fc.string({ maxLength: 70 }), amount: fc.bigInt(-(1n << 70n), 1n << 70n), lots: fc.nat(), open: fc.boolean(), list: fc.array(fc.nat(9), { maxLength: 3 }), none: fc.constant(null) })
  fc.assert(fc.property(messages, (message) => digestOf(decode(encode(message))) === digestOf(message)))
  const digests = new Set<number>()
  for (let lots = 0; lots < 1_000; lots++) digests.add(digestOf({ kind: 'a', lots }))
  t.equal(digests.size, 1_000)
  t.not(digestOf({ a: 1, b: 2 }), digestOf({ a: 2, b: 1 }))
  t.end()
})

t.test('a host that is held up gets everything later, one that is dead nothing more', async (t) => {
  const scheduler = new Scheduler(new Trace(BEGIN_us))
  const died: string[] = []
  const host = new Host('h', 1, 0, scheduler, ({ name }) => died.push(name))
  const said: string[] = []
  for (const at of [10, 20, 30, 90]) host.after(at, 'x', () => said.push(`${at} at ${scheduler.now_us - BEGIN_us}`))
  scheduler.after(15, 'x', 'y', () => host.pause())
  scheduler.after(50, 'x', 'y', () => host.resume())
  scheduler.after(60, 'x', 'y', () => host.dieAfter(2))
  scheduler.after(70, 'x', 'y', () => said.push(`reaches ${host.reach()}`))
  scheduler.after(80, 'x', 'y', () => said.push(`reaches ${host.reach()}`))
  await scheduler.run(() => true)
  t.same(said, ['10 at 10', '20 at 50', '30 at 50', 'reaches true', 'reaches false'])
  t.same(died, ['h'])
  t.notOk(host.alive)
})
