import t from 'tap'
import { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import { decode, encode } from '../../src/protocol/codec.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { settlementActor, watcherActor } from '../../src/protocol/subjects.ts'
import { account, assetQ } from '../pair/smallVenue.ts'
import { openVault, venue } from './openVault.ts'

const wallet = `C${'A'.repeat(55)}` as AccountId
const [old, fresh, bot, ann] = ['OLD', 'FRESH', 'BOT', 'ANN'].map(account) as [AccountId, AccountId, AccountId, AccountId]
const refused = (code: string) => ({ refused: code })
const by = (signer: AccountId) => ({ signer })

/** A vault actor to which the chain also speaks of trading keys. */
function walletVault(machine = new VaultMachine(0, venue)) {
  const vault = openVault(machine)
  const name = (key: AccountId | null, of = wallet): void => machine.message(watcherActor, { kind: 'tradingKey', account: of, key, transaction: 'tk', ledger: 1 }, vault.effects)
  const keysOf = (of = wallet) => machine.query({ kind: 'keys', account: of })
  const told = (): unknown[] => vault.effects.feed.flatMap((message) => (message.type === 'key' ? [[message.key, message.status]] : []))
  return { ...vault, name, keysOf, told }
}

t.test('the key that a wallet names does all that a classic account’s own key does', async (t) => {
  const vault = walletVault()
  vault.deposit(wallet, assetQ, 1_000n)
  t.equal(vault.place('o0', wallet, 'buy', 1, 1, by(old)), 'signer_not_allowed', 'nobody’s yet')
  vault.name(old)
  t.match(vault.keysOf(), { ok: [{ key: old, scope: 'trade', market: null, status: 'active' }] })
  t.match(vault.machine.query({ kind: 'key', account: wallet, key: old }), { ok: { key: old, scope: 'trade' } })
  t.equal(vault.place('o1', wallet, 'buy', 1, 1, by(old)), null)
  t.equal(vault.cancel(wallet, 'o1', by(old)), null)
  t.match(vault.withdraw('w', wallet, assetQ, 5n, by(old)), { ok: { status: 'requested', amount: 5n } })
  t.match(vault.delegate('d', wallet, bot, by(old)), { ok: { key: bot, status: 'active' } })
  t.equal(vault.place('o2', wallet, 'buy', 1, 1, by(bot)), null)
  t.strictSame(vault.withdraw('w2', wallet, assetQ, 5n, by(bot)), refused('signer_not_allowed'), 'one that it delegates is one that is delegated')
  t.strictSame(vault.delegate('d2', wallet, old, by(old)), { refused: 'message_malformed', detail: 'key' }, 'itself needs no leave')
  t.match(vault.revoke('r', wallet, bot, by(old)), { ok: { status: 'revoked' } })
  t.match(vault.revoke('r2', wallet, old, by(old)), refused('key_unknown'), 'it ends on the chain and nowhere else')
})

t.test('another key on the chain ends the one before it, and whatever that one has let in', async (t) => {
  const vault = walletVault()
  vault.deposit(wallet, assetQ, 1_000n)
  vault.name(old)
  vault.place('o1', wallet, 'buy', 1, 1, by(old))
  vault.delegate('d', wallet, bot, by(old))
  vault.name(old)
  t.equal(vault.place('o2', wallet, 'buy', 1, 1, by(bot)), null, 'the same key named again changes nothing')
  vault.name(fresh)
  for (const signer of [old, bot]) {
    t.equal(vault.place(`x-${signer}`, wallet, 'buy', 1, 1, by(signer)), 'signer_not_allowed')
    t.equal(vault.cancel(wallet, 'o1', by(signer)), 'signer_not_allowed')
    t.strictSame(vault.withdraw(`w-${signer}`, wallet, assetQ, 1n, by(signer)), refused('signer_not_allowed'))
    t.strictSame(vault.machine.query({ kind: 'key', account: wallet, key: signer }), refused('key_unknown'))
  }
  t.match(vault.delegate('d', wallet, bot, by(fresh)), { ok: { key: bot, status: 'revoked' } }, 'an old delegation arms nothing')
  t.equal(vault.cancel(wallet, 'o1', by(fresh)), null, 'what rests is the account’s')
  vault.name(null)
  t.equal(vault.place('o3', wallet, 'buy', 1, 1, by(fresh)), 'signer_not_allowed')
  t.strictSame(vault.keysOf(), { ok: [] })
  t.strictSame(vault.told(), [[old, 'active'], [bot, 'active'], [bot, 'revoked'], [old, 'revoked'], [fresh, 'active'], [fresh, 'revoked']], 'its feed tells each')
})

t.test('a key may be named before the first deposit, and is one account’s alone', async (t) => {
  const vault = walletVault()
  vault.name(old)
  t.equal(vault.place('o1', wallet, 'buy', 1, 1, by(old)), 'account_unknown')
  t.equal(vault.machine.state.accounts.size, 0, 'naming one opens no account')
  vault.deposit(wallet, assetQ, 1_000n)
  vault.deposit(ann, assetQ, 1_000n)
  t.equal(vault.place('o2', wallet, 'buy', 1, 1, by(old)), null)
  t.equal(vault.place('o3', ann, 'buy', 1, 1, by(old)), 'signer_not_allowed')
  t.throws(() => vault.machine.message(settlementActor(0), { kind: 'tradingKey', account: wallet, key: bot, transaction: 't', ledger: 2 }, vault.effects), /the watcher speaks/)
})

t.test('it is in the snapshot, and a snapshot of before there were any is read', async (t) => {
  const vault = walletVault()
  vault.deposit(wallet, assetQ, 1_000n)
  vault.name(old)
  const bytes = vault.machine.snapshot()
  const copy = new VaultMachine(0, venue)
  copy.restore(bytes)
  t.ok(Buffer.from(copy.snapshot()).equals(Buffer.from(bytes)))
  t.equal(walletVault(copy).place('o1', wallet, 'buy', 1, 1, by(old)), null)

  const { tradingKeys: _none, ...before } = decode<Record<string, unknown>>(bytes)
  const restored = new VaultMachine(0, venue)
  restored.restore(encode({ ...before, version: 8 }))
  t.equal(restored.state.tradingKeys.size, 0)
  t.equal(restored.state.accounts.get(wallet)?.id, wallet)
  t.throws(() => restored.restore(encode({ ...before, version: 7 })), /version 7/)
})
