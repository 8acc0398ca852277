import t from 'tap'
import type { AccountId, MarketName, Seconds } from '../../src/protocol/identity.ts'
import { limits } from '../../src/protocol/limits.ts'
import type { KeyScope } from '../../src/protocol/vault.ts'
import { account, AQ, assetQ, BQ } from '../pair/smallVenue.ts'
import { openVault, START } from './openVault.ts'

const [ann, ben] = [account('ANN'), account('BEN')]
const [bot, other] = [account('BOT'), account('OTHER')]
const seconds = (ahead: number): Seconds => (START / 1000 + ahead) as Seconds

function funded() {
  const vault = openVault()
  vault.deposit(ann, assetQ, 10_000n)
  vault.deposit(ben, assetQ, 10_000n)
  vault.effects.take()
  return vault
}
const by = (signer: AccountId) => ({ signer })
const refused = (code: string, detail?: string) => ({ refused: code, ...(detail !== undefined && { detail }) })
const keysOf = (vault: ReturnType<typeof openVault>, id: AccountId) => vault.machine.query({ kind: 'keys', account: id })
const keyOf = (vault: ReturnType<typeof openVault>, id: AccountId, key: AccountId) => vault.machine.query({ kind: 'key', account: id, key })

t.test('a key that may trade places, amends, cancels, and cancels all, from its delegation to its revocation', async (t) => {
  const vault = funded()
  const { place, amend, cancel, cancelAll, refusal, delegate, revoke, effects } = vault
  t.equal(place('o0', ann, 'buy', 1, 1, by(bot)), 'signer_not_allowed')
  const state = { key: bot, scope: 'trade', market: null, until: seconds(60), status: 'active' }
  t.strictSame(delegate('d', ann, bot), { ok: state })
  t.strictSame(keysOf(vault, ann), { ok: [state] })
  t.strictSame(keyOf(vault, ann, bot), { ok: state })
  t.equal(place('o1', ann, 'buy', 2, 10, by(bot)), null)
  t.equal(place('o2', ann, 'buy', 2, 10, { ...by(bot), market: BQ }), null)
  t.equal(amend('a', ann, 'o1', 1, 10, by(bot)), null)
  t.equal(cancel(ann, 'o2', by(bot)), null)
  t.equal(cancelAll('s', ann, null, by(bot)), null)
  t.equal(cancel(ann, 'unknown', by(bot)), 'order_unknown')
  t.strictSame(revoke('r', ann, bot), { ok: { ...state, status: 'revoked' } })
  t.strictSame(keysOf(vault, ann), { ok: [] })
  t.strictSame(keyOf(vault, ann, bot), refused('key_unknown'))
  const sent = effects.sent.length
  t.equal(place('o3', ann, 'buy', 1, 1, by(bot)), 'signer_not_allowed')
  t.equal(refusal(amend('a2', ann, 'o1', 1, 11, by(bot))), 'signer_not_allowed')
  t.equal(cancel(ann, 'o1', by(bot)), 'signer_not_allowed', 'not even an order that it has placed itself')
  t.equal(refusal(cancelAll('s2', ann, AQ, by(bot))), 'signer_not_allowed')
  t.equal(place('o1', ann, 'buy', 2, 10, by(bot)), 'signer_not_allowed', 'nor is it told what became of it')
  t.equal(effects.sent.length, sent, 'nothing of that went anywhere')
  t.match(vault.orderOf(ann, 'o1'), { status: 'pending' }, 'what it has placed stays')
  t.equal(cancel(ann, 'o1'), null, 'and is the account\'s to cancel')
  t.match(effects.feed.filter(({ type }) => type === 'key'), [
    { type: 'key', account: ann, key: bot, scope: 'trade', market: 'all', until: '2027-01-15T08:01:00.000Z', status: 'active' },
    { type: 'key', key: bot, status: 'revoked' },
  ])
})

t.test('only the account itself withdraws, delegates and revokes', async (t) => {
  const vault = funded()
  vault.delegate('d', ann, bot)
  vault.delegate('d2', ann, other)
  t.strictSame(vault.withdraw('w', ann, assetQ, 1n, by(bot)), refused('signer_not_allowed'))
  t.strictSame(vault.delegate('d3', ann, account('THIRD'), by(bot)), refused('signer_not_allowed'))
  t.strictSame(vault.delegate('d4', ann, bot, { ...by(bot), until: seconds(120) }), refused('signer_not_allowed'), 'nor does a key give itself more time')
  t.strictSame(vault.revoke('r', ann, other, by(bot)), refused('signer_not_allowed'))
  t.strictSame(vault.revoke('r2', ann, bot, by(bot)), refused('signer_not_allowed'))
  t.match(keysOf(vault, ann), { ok: [{ key: bot, until: seconds(60) }, { key: other }] })
  const contract = `C${'A'.repeat(55)}` as AccountId
  vault.deposit(contract, assetQ, 100n)
  t.strictSame(vault.delegate('d5', contract, bot, by(ann)), refused('signer_not_allowed'), 'a contract account has no key that could')
})

t.test('a key acts for the accounts that named it and for no other', async (t) => {
  const vault = funded()
  vault.delegate('d', ann, bot)
  vault.place('o1', ben, 'buy', 1, 1)
  t.equal(vault.place('o2', ben, 'buy', 1, 1, by(bot)), 'signer_not_allowed')
  t.equal(vault.cancel(ben, 'o1', by(bot)), 'signer_not_allowed')
  t.equal(vault.cancel(ann, 'o1', by(bot)), 'order_unknown', 'an order of another account is as if it were not there')
  t.equal(vault.place('o3', ben, 'buy', 1, 1, by(ann)), 'signer_not_allowed', 'that it is an account of its own gives a key no right')
  vault.delegate('d2', ben, ann)
  t.equal(vault.place('o4', ben, 'buy', 1, 1, by(ann)), null, 'until it is named')
  t.equal(vault.place('o5', ann, 'buy', 1, 1, by(ben)), 'signer_not_allowed', 'which is no right the other way')
  t.strictSame(keyOf(vault, ben, bot), refused('key_unknown'))
})

t.test('a key that only reads does nothing', async (t) => {
  const vault = funded()
  vault.place('o1', ann, 'buy', 1, 1)
  t.match(vault.delegate('d', ann, bot, { scope: 'read' }), { ok: { scope: 'read' } })
  t.match(keyOf(vault, ann, bot), { ok: { scope: 'read', market: null } })
  t.equal(vault.place('o2', ann, 'buy', 1, 1, by(bot)), 'signer_not_allowed')
  t.equal(vault.place('o1', ann, 'buy', 1, 1, by(bot)), 'signer_not_allowed')
  t.equal(vault.cancel(ann, 'o1', by(bot)), 'signer_not_allowed')
  t.equal(vault.refusal(vault.amend('a', ann, 'o1', 2, 1, by(bot))), 'signer_not_allowed')
  t.strictSame(vault.cancelAll('s', ann, null, by(bot)), refused('signer_not_allowed'))
})

t.test('a key of one market is refused everything in another', async (t) => {
  const vault = funded()
  vault.place('a1', ann, 'buy', 1, 1)
  vault.place('b1', ann, 'buy', 1, 1, { market: BQ })
  vault.delegate('d', ann, bot, { market: AQ })
  t.equal(vault.place('a2', ann, 'buy', 1, 1, by(bot)), null)
  t.equal(vault.place('b2', ann, 'buy', 1, 1, { ...by(bot), market: BQ }), 'signer_not_allowed')
  t.equal(vault.cancel(ann, 'a1', by(bot)), null)
  t.equal(vault.cancel(ann, 'b1', by(bot)), 'signer_not_allowed')
  t.equal(vault.amend('x1', ann, 'a1', 2, 1, by(bot)), null)
  t.equal(vault.refusal(vault.amend('x2', ann, 'b1', 2, 1, by(bot))), 'signer_not_allowed')
  t.equal(vault.cancelAll('s1', ann, AQ, by(bot)), null)
  t.equal(vault.refusal(vault.cancelAll('s2', ann, BQ, by(bot))), 'signer_not_allowed')
  t.equal(vault.refusal(vault.cancelAll('s3', ann, null, by(bot))), 'signer_not_allowed', 'all is more than its market')
})

t.test('a key ends with its time, by the actor\'s clock', async (t) => {
  const vault = funded()
  vault.delegate('d', ann, bot)
  vault.at(START + 59_999)
  t.equal(vault.place('o1', ann, 'buy', 1, 1, by(bot)), null)
  vault.at(START + 60_000)
  t.equal(vault.place('o2', ann, 'buy', 1, 1, by(bot)), 'signer_not_allowed')
  t.equal(vault.cancel(ann, 'o1', by(bot)), 'signer_not_allowed')
  t.match(vault.delegate('d', ann, bot), { ok: { status: 'expired' } }, 'and its message does not bring it back')
  t.match(keysOf(vault, ann), { ok: [{ key: bot, until: seconds(60) }] }, 'it is listed')
  vault.delegate('d2', ann, other)
  t.match(keysOf(vault, ann), { ok: [{ key: other }] }, 'until there is another')
  t.match(vault.delegate('d', ann, bot), { ok: { status: 'expired' } })
})

t.test('a message takes effect once: an old delegation never arms a key again, an old revocation takes none away', async (t) => {
  const vault = funded()
  vault.delegate('d1', ann, bot)
  vault.revoke('r1', ann, bot)
  const fed = vault.effects.feed.length
  t.match(vault.delegate('d1', ann, bot), { ok: { key: bot, status: 'revoked' } })
  t.equal(vault.place('o1', ann, 'buy', 1, 1, by(bot)), 'signer_not_allowed')
  t.equal(vault.effects.feed.length, fed)
  vault.delegate('d2', ann, bot, { scope: 'read' })
  t.match(vault.delegate('d1', ann, bot), { ok: { scope: 'read', status: 'active' } }, 'an answer tells how the key stands')
  t.equal(vault.place('o1', ann, 'buy', 1, 1, by(bot)), 'signer_not_allowed')
  t.match(vault.revoke('r1', ann, bot), { ok: { scope: 'read', status: 'active' } })
  t.match(keysOf(vault, ann), { ok: [{ key: bot, scope: 'read' }] })
  t.strictSame(vault.delegate('d1', ben, bot), refused('message_reused'))
  t.equal(vault.place('d1', ann, 'buy', 1, 1), 'message_reused')
  const old = { expires: seconds(600), until: seconds(900) }
  vault.at(START + 599_999)
  t.match(vault.delegate('d1', ann, bot, old), { ok: { status: 'expired' } })
  vault.at(START + 700_000)
  t.equal(vault.machine.state.keyChanges.size, 0, 'it is forgotten when it has expired')
  t.strictSame(vault.delegate('d1', ann, bot, old), refused('message_expired'))
  t.equal(vault.machine.state.accounts.get(ann)?.delegations, 0)
})

t.test('a key named again may what it is named for last', async (t) => {
  const vault = funded()
  vault.delegate('d1', ann, bot, { market: AQ })
  vault.delegate('d2', ann, bot, { market: BQ })
  t.equal(vault.place('o1', ann, 'buy', 1, 1, by(bot)), 'signer_not_allowed')
  t.equal(vault.place('o2', ann, 'buy', 1, 1, { ...by(bot), market: BQ }), null)
  t.match(keysOf(vault, ann), { ok: [{ key: bot, market: BQ }] })
})

t.test('what cannot be delegated', async (t) => {
  const vault = funded()
  t.strictSame(vault.delegate('d', ann, ann), refused('message_malformed', 'key'), 'the account itself')
  t.strictSame(vault.delegate('d', ann, bot, { scope: 'withdraw' as KeyScope }), refused('message_malformed', 'scope'))
  t.strictSame(vault.delegate('d', ann, bot, { scope: 'read', market: AQ }), refused('message_malformed', 'market'), 'reading is of all of an account')
  t.strictSame(vault.delegate('d', ann, bot, { until: 1.5 as Seconds }), refused('message_malformed', 'until'))
  t.strictSame(vault.delegate('d', ann, bot, { market: 'X-Q' as MarketName }), refused('market_unknown'))
  t.strictSame(vault.delegate('d', ann, bot, { until: seconds(0) }), refused('until_out_of_range'))
  t.strictSame(vault.delegate('d', ann, bot, { until: seconds(limits.keyLifetime_s + 1) }), refused('until_out_of_range'))
  t.strictSame(vault.delegate('d', ann, bot, { expires: seconds(3_601) }), refused('expiry_too_far'))
  t.strictSame(vault.delegate('d', account('NOBODY'), bot), refused('account_unknown'))
  t.strictSame(vault.revoke('r', ann, bot), refused('key_unknown'))
  t.strictSame(vault.revoke('r', account('NOBODY'), bot), refused('key_unknown'))
  t.strictSame(keysOf(vault, account('NOBODY')), { ok: [] })
  t.equal(vault.machine.state.keyChanges.size, 0, 'a refused message is not remembered')
  t.match(vault.delegate('d', ann, bot, { until: seconds(limits.keyLifetime_s) }), { ok: { status: 'active' } }, 'and can be sent again')
})

t.test('an account has a bounded number of keys, and of changes that are remembered', async (t) => {
  const vault = funded()
  for (let n = 0; n < limits.delegatedKeys; n++) vault.delegate(`d${n}`, ann, account(`K${n}`), n === 0 ? { until: seconds(1) } : {})
  t.strictSame(vault.delegate('more', ann, bot), refused('keys_exceeded'))
  t.match(vault.delegate('same', ann, account('K1')), { ok: { status: 'active' } }, 'one that is there takes no more room')
  t.match(vault.delegate('other', ben, bot), { ok: {} }, 'each account has its own')
  vault.revoke('r', ann, account('K2'))
  t.match(vault.delegate('more', ann, bot), { ok: {} }, 'a revoked one makes room')
  t.strictSame(vault.delegate('more2', ann, other), refused('keys_exceeded'))
  vault.at(START + 1_000)
  t.match(vault.delegate('more2', ann, other), { ok: {} }, 'so does one that is over')

  for (let n = 0; n < limits.delegationsRemembered; n++) vault.delegate(`b${n}`, ben, bot)
  t.strictSame(vault.delegate('last', ben, bot), refused('keys_exceeded'))
  t.match(vault.revoke('r2', ben, bot), { ok: { status: 'revoked' } }, 'revoking is always possible')
  vault.at(START + 700_000)
  t.match(vault.delegate('last', ben, bot), { ok: { status: 'active' } })
})
