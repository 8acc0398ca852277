import t from 'tap'
import { Waiting } from '../../src/gateway/vaults/waiting.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { Answer } from '../../src/protocol/packets.ts'

const [vault, other] = ['vault.0', 'vault.1'] as [ActorName, ActorName]
const late: Answer = { refused: 'outcome_unknown' }
const notTaken: Answer = { refused: 'account_unavailable' }

t.test('so many wait for the next owner of one actor, and no more; what another waits for is not theirs', (t) => {
  const waiting = new Waiting<string>(5_000, 2)
  const answers = new Map<string, Answer>()
  const add = (content: string, to = vault): number => waiting.add(0, { to, content, late, notTaken, answered: (answer) => answers.set(content, answer) })
  const [a, b, c] = [add('a'), add('b'), add('c')]
  for (const request of [a, b, c]) waiting.park(request)
  t.same([...answers], [['c', notTaken]], 'nobody has taken it, and nobody will')
  const d = add('d', other)
  waiting.park(d)
  t.equal(answers.has('d'), false)
  t.same(waiting.takeFor(vault, true).map(([, content]) => content), ['a', 'b'])

  // What was out at one owner may have been taken there, whatever becomes of it at the next.
  t.same(waiting.takeFor(vault, true).map(([, content]) => content), ['a', 'b'])
  const [e, f] = [add('e'), add('f')]
  for (const request of [e, f, a]) waiting.park(request)
  t.same(answers.get('a'), late)

  // Who is answered or gives up makes room.
  waiting.settle(e, { ok: 1 }, vault)
  const g = add('g')
  waiting.park(g)
  t.equal(answers.has('g'), false)
  waiting.sweep(5_000)
  t.same(['b', 'd', 'f', 'g'].map((content) => answers.get(content)), [late, notTaken, notTaken, notTaken])
  t.equal(waiting.size, 0)
  t.end()
})
