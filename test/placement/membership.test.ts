import t from 'tap'
import { Membership } from '../../src/actors/placement/membership.ts'
import type { NodeEntry } from '../../src/actors/placement/keys.ts'
import type { ActorName } from '../../src/protocol/identity.ts'

const actor = 'vault.0' as ActorName
const node = (name: string, more: Partial<NodeEntry> = {}): NodeEntry => ({ node: name, instance: `${name}1`, actors: [actor], leaving: false, ...more })
const a = node('a')
const b = node('b')

t.test('a short absence is none; a longer one counts', async (t) => {
  const members = new Membership()
  members.look([a, b], 0)
  members.look([a], 200)
  members.look([a], 1_400)
  t.same(members.able(actor).toSorted(), ['a', 'b'])
  members.look([a, b], 1_450)
  members.look([a], 2_900)
  t.same(members.able(actor).toSorted(), ['a', 'b'])
  members.look([a], 3_000)
  t.same(members.able(actor), ['a'])
})

t.test('after the store was away, absence counts from the first look that succeeds', async (t) => {
  const members = new Membership()
  members.look([a, b], 0)
  members.lost()
  members.look([a], 60_000)
  t.same(members.able(actor).toSorted(), ['a', 'b'], 'everybody’s entry may have lapsed')
  members.look([a], 61_400)
  t.same(members.able(actor).toSorted(), ['a', 'b'])
  members.look([a], 61_500)
  t.same(members.able(actor), ['a'])
})

t.test('who leaves takes nothing, and is gone with its entry; who may not run an actor is not asked', async (t) => {
  const members = new Membership()
  members.look([a, node('b', { leaving: true }), node('c', { actors: [] })], 0)
  t.same(members.able(actor), ['a'])
  members.look([a], 10)
  t.same(members.able(actor), ['a'])
})
