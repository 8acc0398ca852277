import t from 'tap'
import { Membership } from '../../src/actors/placement/membership.ts'
import type { SeenNode } from '../../src/actors/placement/keys.ts'
import type { ActorName } from '../../src/protocol/identity.ts'

const actor = 'vault.0' as ActorName
let revision = 0
/** Renewed at each look that shows it, unless a revision is given. */
const node = (name: string, more: Partial<SeenNode> = {}): SeenNode => ({ node: name, instance: `${name}1`, actors: [actor], leaving: false, revision: ++revision, ...more })
const [a, b] = [() => node('a'), () => node('b')]

t.test('a short absence is none; a longer one counts', async (t) => {
  const members = new Membership()
  members.look([a(), b()], 0)
  members.look([a()], 200)
  members.look([a()], 1_400)
  t.same(members.able(actor).toSorted(), ['a', 'b'])
  members.look([a(), b()], 1_450)
  members.look([a()], 2_900)
  t.same(members.able(actor).toSorted(), ['a', 'b'])
  members.look([a()], 3_000)
  t.same(members.able(actor), ['a'])
})

t.test('after the store was away, absence counts from the first look that succeeds', async (t) => {
  const members = new Membership()
  members.look([a(), b()], 0)
  members.lost()
  members.look([a()], 60_000)
  t.same(members.able(actor).toSorted(), ['a', 'b'], 'everybody’s entry may have lapsed')
  members.look([a()], 61_400)
  t.same(members.able(actor).toSorted(), ['a', 'b'])
  members.look([a()], 61_500)
  t.same(members.able(actor), ['a'])
})

t.test('a node whose entry stands but is not renewed is gone, and back with its next renewal', async (t) => {
  const members = new Membership()
  const stopped = b()
  for (const at of [0, 500, 1_000]) members.look([a(), stopped], at)
  t.same(members.able(actor).toSorted(), ['a', 'b'])
  t.notOk(members.isGone('b'))
  members.look([a(), stopped], 1_500)
  t.same(members.able(actor), ['a'])
  t.ok(members.isGone('b'), 'so nobody waits until what it holds lapses')
  members.look([a()], 2_000)
  t.ok(members.isGone('b'))
  members.look([a(), b()], 2_500)
  t.same(members.able(actor).toSorted(), ['a', 'b'])
  t.notOk(members.isGone('b'))
  t.notOk(members.isGone('nobody'), 'one that was never seen may be there')
})

t.test('who leaves takes nothing, and is gone with its entry; who may not run an actor is not asked', async (t) => {
  const members = new Membership()
  members.look([a(), node('b', { leaving: true }), node('c', { actors: [] })], 0)
  t.same(members.able(actor), ['a'])
  members.look([a()], 10)
  t.same(members.able(actor), ['a'])
})
