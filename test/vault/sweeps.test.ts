import t from 'tap'
import type { MarketName, Seconds } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import { CANCEL_ROOM } from '../../src/actors/vault/markets.ts'
import { account, AQ, assetQ, BQ } from '../pair/smallVenue.ts'
import { openVault, START } from './openVault.ts'

const ann = account('ANN')
const ben = account('BEN')

/** Two orders in one market and one in the other. */
function withOrders() {
  const vault = openVault()
  vault.deposit(ann, assetQ, 10_000n)
  vault.place('o1', ann, 'buy', 1, 10)
  vault.place('o2', ann, 'buy', 1, 10, { market: BQ })
  vault.place('o3', ann, 'buy', 1, 10)
  vault.effects.take()
  return vault
}

t.test('every market in which there is something is told, and the answer comes when all have done it', async (t) => {
  const vault = withOrders()
  t.equal(vault.cancelAll('s', ann, null), null)
  t.strictSame(vault.effects.sent.map(({ to, message }) => [to, message]), [[pairActor(AQ), { kind: 'cancelAll', sweep: 's', account: ann }], [pairActor(BQ), { kind: 'cancelAll', sweep: 's', account: ann }]])
  t.match(vault.cancelAll('s', ann, null), { ok: { cancelled: 0, markets: [AQ, BQ] } }, 'a repeated message finds them waiting')
  vault.effects.take()
  vault.swept(ann, 's', 1, BQ)
  t.equal(vault.effects.answers.length, 0)
  t.match(vault.cancelAll('s', ann, null), { ok: { cancelled: 1, markets: [AQ] } })
  vault.effects.take()
  vault.swept(ann, 's', 2)
  t.match(vault.effects.answers, [{ answer: { ok: { id: 's', cancelled: 3, markets: [], halted: [] } } }], 'who asked first is answered')
  t.match(vault.cancelAll('s', ann, null), { ok: { cancelled: 3, markets: [] } })
  t.equal(vault.effects.sent.length, 0)
  vault.at(START + 700_000)
  t.equal(vault.machine.state.sweeps.size, 0, 'forgotten when its message has expired')
})

t.test('one market alone; nothing to take back is answered at once', async (t) => {
  const vault = withOrders()
  t.equal(vault.cancelAll('s', ann, BQ), null)
  t.strictSame(vault.effects.sent.map(({ to }) => to), [pairActor(BQ)])
  vault.deposit(ben, assetQ, 1n)
  t.match(vault.cancelAll('t', ben, null), { ok: { id: 't', cancelled: 0, markets: [], halted: [] } })
})

t.test('a halted market is named: nothing came back from there', async (t) => {
  const vault = withOrders()
  vault.cancelAll('s', ann, null)
  vault.swept(ann, 's', 0, AQ, true)
  vault.swept(ann, 's', 1, BQ)
  t.match(vault.effects.answers, [{ answer: { ok: { cancelled: 1, markets: [], halted: [AQ] } } }])
})

t.test('refusals', async (t) => {
  const vault = withOrders()
  const before = vault.machine.snapshot()
  const now = START / 1000
  t.match(vault.cancelAll('s', ann, null, { signer: ben }), { refused: 'signer_not_allowed' })
  t.match(vault.cancelAll('s', ann, null, { expires: now as Seconds }), { refused: 'message_expired' })
  t.match(vault.cancelAll('s', ann, null, { expires: (now + 3_601) as Seconds }), { refused: 'expiry_too_far' })
  t.match(vault.cancelAll('s', ann, 'A-B' as MarketName), { refused: 'market_unknown' })
  t.match(vault.cancelAll('s', ben, null), { refused: 'account_unknown' })
  t.match(vault.cancelAll('o1', ann, null), { refused: 'message_reused' })
  vault.effects.backlogs.set(pairActor(BQ), limits.outboxMessages * CANCEL_ROOM)
  t.match(vault.cancelAll('s', ann, null), { refused: 'market_unavailable' }, 'all of them or none')
  t.same(vault.machine.snapshot(), before)
  t.equal(vault.cancelAll('s', ann, AQ), null)
  for (let n = 1; n < limits.sweepsInFlight; n++) vault.cancelAll(`s${n}`, ann, AQ)
  t.match(vault.cancelAll('x', ann, AQ), { refused: 'cancels_exceeded' })
  vault.swept(ann, 's', 2)
  t.equal(vault.cancelAll('x', ann, AQ), null)
})

t.test('what must never happen stops the actor', async (t) => {
  const vault = withOrders()
  vault.cancelAll('s', ann, BQ)
  t.throws(() => vault.swept(ann, 's', 1, AQ), /answers a cancel-all once/)
  t.throws(() => vault.swept(ben, 's', 1, BQ), /of that account/)
  vault.swept(ann, 's', 1, BQ)
  t.throws(() => vault.swept(ann, 's', 1, BQ), /answers a cancel-all once/)
})
