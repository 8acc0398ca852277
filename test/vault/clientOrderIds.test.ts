import t from 'tap'
import type { Seconds } from '../../src/protocol/identity.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import { account, AQ, assetQ, BQ } from '../pair/smallVenue.ts'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import { openVault, START, venue } from './openVault.ts'

const [ann, ben, bot] = [account('ANN'), account('BEN'), account('BOT')]
const seconds = (ahead: number): Seconds => (START / 1000 + ahead) as Seconds
const mine = { clientOrderId: 'mine' }

function funded() {
  const vault = openVault()
  vault.deposit(ann, assetQ, 10_000n)
  vault.deposit(ben, assetQ, 10_000n)
  vault.effects.take()
  return vault
}
const found = (vault: ReturnType<typeof openVault>, who = ann, clientOrderId = 'mine') => vault.machine.query({ kind: 'clientOrder', account: who, clientOrderId })

t.test('no two open orders of an account have the same client order id', async (t) => {
  const vault = funded()
  t.equal(vault.place('o1', ann, 'buy', 1, 10, mine), null)
  t.equal(vault.place('o2', ann, 'buy', 1, 10, mine), 'client_order_id_in_use', 'while it is on its way to its market')
  vault.rested(ann, 'o1')
  t.equal(vault.place('o2', ann, 'buy', 2, 11, { ...mine, market: BQ }), 'client_order_id_in_use', 'and while it rests, in whichever market')
  t.equal(vault.place('o1', ann, 'buy', 1, 10, mine), null, 'the same message is the same order')
  t.equal(vault.effects.sent.length, 1)
  t.equal(vault.place('b1', ben, 'buy', 1, 10, mine), null, 'another account has its own')
  t.strictSame(vault.balance(ann, assetQ), [10_000n, 0n, 20n, 9_980n], 'what was refused holds nothing')
  vault.closed(ann, 'o1', 'cancelled')
  t.equal(vault.place('o2', ann, 'buy', 1, 10, mine), null, 'a closed one makes room')
  t.equal(vault.place('o1', ann, 'buy', 1, 10, mine), null, 'whose message is remembered all the same')
  t.equal(vault.place('', ann, 'buy', 1, 10, { clientOrderId: '' }), 'message_malformed')
  t.equal(vault.place('long', ann, 'buy', 1, 10, { clientOrderId: 'x'.repeat(33) }), 'message_malformed')
})

t.test('a client order id finds the last order that was placed under it', async (t) => {
  const vault = funded()
  t.strictSame(found(vault), { refused: 'order_unknown' })
  vault.place('o1', ann, 'buy', 1, 10, mine)
  t.match(found(vault), { ok: { id: 'o1', clientOrderId: 'mine', status: 'pending' } })
  t.strictSame(found(vault, ben), { refused: 'order_unknown' }, 'of that account only')
  vault.closed(ann, 'o1', 'cancelled')
  t.match(found(vault), { ok: { id: 'o1', status: 'cancelled' } }, 'closed, it is still known')
  vault.place('o2', ann, 'buy', 1, 10, { ...mine, expires: seconds(60) })
  vault.closed(ann, 'o2', 'cancelled')
  t.match(found(vault), { ok: { id: 'o2' } })
  const restored = new VaultMachine(0, venue)
  restored.restore(vault.machine.snapshot())
  for (const other of [vault, openVault(restored)]) {
    t.match(found(other), { ok: { id: 'o2' } })
    other.at(START + 180_000)
    t.strictSame(found(other), { refused: 'order_unknown' }, 'an earlier one does not come back when the last is forgotten')
    t.match(other.orderOf(ann, 'o1'), { clientOrderId: 'mine' })
    t.equal(other.place('o3', ann, 'buy', 1, 10, mine), null)
    t.match(found(other), { ok: { id: 'o3' } })
    other.at(START + 700_000)
    t.match(found(other), { ok: { id: 'o3' } }, 'nor does its own forgetting take away what another has')
  }
})

t.test('a cancel by client order id takes back the order that is open', async (t) => {
  const vault = funded()
  t.strictSame(vault.cancelNamed('c0', ann, 'mine'), { refused: 'order_unknown' })
  vault.place('o1', ann, 'buy', 1, 10, mine)
  vault.effects.take()
  t.strictSame(vault.cancelNamed('c1', ben, 'mine'), { refused: 'order_unknown' })
  t.equal(vault.cancelNamed('c1', ann, 'mine'), null)
  t.match(vault.effects.take().sent, [{ to: pairActor(AQ), message: { kind: 'cancel', order: 'o1', account: ann } }])
  vault.closed(ann, 'o1', 'cancelled')
  t.match(vault.cancelNamed('c2', ann, 'mine'), { refused: 'order_not_open', found: { id: 'o1' } })
  t.strictSame(vault.cancelNamed('c3', ann, 'mine', { expires: seconds(0) }), { refused: 'message_expired' })
  t.strictSame(vault.cancelNamed('c3', ann, 'mine', { expires: seconds(3_601) }), { refused: 'expiry_too_far' }, 'it is remembered, so it cannot live as long as it likes')
})

t.test('a cancel that comes again means the order that it meant, not one that has its id since', async (t) => {
  const vault = funded()
  vault.place('o1', ann, 'buy', 1, 10, mine)
  vault.cancelNamed('c1', ann, 'mine')
  vault.closed(ann, 'o1', 'cancelled')
  vault.place('o2', ann, 'buy', 1, 10, mine)
  vault.effects.take()
  t.match(vault.cancelNamed('c1', ann, 'mine'), { refused: 'order_not_open', found: { id: 'o1' } })
  t.equal(vault.effects.sent.length, 0, 'the second order stays')
  t.equal(vault.cancelNamed('c2', ann, 'mine'), null, 'until a cancel of its own comes')
  t.match(vault.effects.sent, [{ message: { order: 'o2' } }])
  vault.at(START + 700_000)
  t.equal(vault.machine.state.cancels.size, 0, 'remembered as long as the message lives')
})

t.test('a delegated key cancels by client order id where it may trade', async (t) => {
  const vault = funded()
  vault.place('o1', ann, 'buy', 1, 10, { ...mine, market: BQ })
  vault.delegate('d', ann, bot, { market: AQ })
  t.strictSame(vault.cancelNamed('c1', ann, 'mine', { signer: bot }), { refused: 'signer_not_allowed' })
  vault.delegate('d2', ann, bot, { market: BQ })
  t.equal(vault.cancelNamed('c2', ann, 'mine', { signer: bot }), null)
  vault.revoke('r', ann, bot)
  t.strictSame(vault.cancelNamed('c2', ann, 'mine', { signer: bot }), { refused: 'signer_not_allowed' }, 'not even the same once more')
})
