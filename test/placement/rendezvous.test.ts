import fc from 'fast-check'
import t from 'tap'
import { ownerOf } from '../../src/actors/placement/rendezvous.ts'
import type { ActorName } from '../../src/protocol/identity.ts'

const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), { minLength: 1, maxLength: 8 })
const actors = fc.uniqueArray(fc.stringMatching(/^(pair|vault)\.[A-Z0-9-]{1,12}$/), { minLength: 1, maxLength: 40 }) as fc.Arbitrary<ActorName[]>

t.test('the order in which nodes are known does not matter', async () => {
  fc.assert(
    fc.property(names, actors, (nodes, all) => {
      const backwards = nodes.toReversed()
      return all.every((actor) => ownerOf(actor, nodes) === ownerOf(actor, backwards))
    }),
  )
})

t.test('a node that goes moves its own actors and no other; one that comes back finds things as they were', async () => {
  fc.assert(
    fc.property(names, actors, fc.nat(), (nodes, all, pick) => {
      const gone = nodes[pick % nodes.length]!
      const left = nodes.filter((node) => node !== gone)
      return all.every((actor) => {
        const before = ownerOf(actor, nodes)
        const after = ownerOf(actor, left)
        return before === gone ? after === undefined || left.includes(after) : after === before
      })
    }),
  )
})

t.test('a pin counts while its node is there, and moves nothing else', async () => {
  fc.assert(
    fc.property(names, actors, fc.nat(), (nodes, all, pick) => {
      const pin = nodes[pick % nodes.length]!
      const others = nodes.filter((node) => node !== pin)
      return all.every((actor) => ownerOf(actor, nodes, pin) === pin && ownerOf(actor, others, pin) === ownerOf(actor, others))
    }),
  )
})

t.test('many actors are spread about evenly', async (t) => {
  const nodes = ['a', 'b', 'c']
  const count = new Map<string, number>()
  for (let i = 0; i < 3_000; i++) {
    const owner = ownerOf(`pair.${i}` as ActorName, nodes)!
    count.set(owner, (count.get(owner) ?? 0) + 1)
  }
  for (const node of nodes) t.ok(Math.abs(count.get(node)! - 1_000) < 120, `${node}: ${count.get(node)}`)
  t.equal(ownerOf('pair.0' as ActorName, []), undefined)
})
