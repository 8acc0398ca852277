import { Keypair, Operation, Transaction, TransactionBuilder, WebAuth } from '@stellar/stellar-sdk'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { canonicalJson } from '../../src/protocol/messages/canonical.ts'
import { until } from '../settlement/waiting.ts'
import { call, refused } from './call.ts'
import { marketName } from './fakeVault.ts'
import type { Script } from './fakeVault.ts'
import { openStage, trader } from './stage.ts'

const stage = await openStage()
t.teardown(() => stage.close())
const [alice, bob, bot] = [trader('alice'), trader('bob'), trader('bot')]
const client = await Client.open(stage.url, alice)
const { passphrase } = stage.venue.file.network
const now_s = (): number => Math.floor(Date.now() / 1000)
const key = { key: bot.address, scope: 'read', market: null, until: now_s() + 3_600, status: 'active' }

/** What the account's keeper says of keys, and balances for whoever is let in. */
let said: ReturnType<Script> = null
stage.vault.script = (asked) => (asked.kind === 'balances' ? { answer: { ok: [] } } : said)
const asked = (kind: string): number => stage.vault.heard.filter((one) => one.kind === kind).length

const challenge = async (account: string, onBehalfOf: string): Promise<string> => (await call(stage.url, 'GET', `/auth?account=${account}&on_behalf_of=${onBehalfOf}`)).json.transaction as string
const answer = (transaction: string) => call(stage.url, 'POST', '/auth', { transaction })
const login = async (): Promise<string> => {
  said = { answer: { ok: key } }
  return (await answer(bot.signTransaction(await challenge(bot.address, alice.address), passphrase))).json.token as string
}
const balances = (token: string) => call(stage.url, 'GET', '/api/v1/balances', undefined, { authorization: `Bearer ${token}` })
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sub: string; key: string; iat: number; exp: number }

t.test('a signed delegation and a signed revocation reach the keeper of the account as they were signed', async (t) => {
  said = { answer: { ok: { ...key, scope: 'trade', market: marketName } } }
  const end = now_s() + 86_400
  const delegated = await client.delegate(bot.address, { scope: 'trade', market: marketName, until: end })
  t.match(stage.vault.heard.at(-1), { kind: 'delegate', account: alice.address, signer: alice.address, key: bot.address, scope: 'trade', market: marketName, until: end })
  t.strictSame(delegated, { key: bot.address, scope: 'trade', market: marketName, until: new Date(key.until * 1000).toISOString(), status: 'active' })
  said = { answer: { ok: { ...key, status: 'revoked' } } }
  t.match(await client.revoke(bot.address), { scope: 'read', market: 'all', status: 'revoked' })
  t.match(stage.vault.heard.at(-1), { kind: 'revoke', account: alice.address, signer: alice.address, key: bot.address })
  said = { answer: { ok: [key, { ...key, until: now_s() - 1 }] } }
  t.match(await client.keys(), [{ status: 'active' }, { status: 'expired' }], 'a key that is over is listed as that')
})

t.test('delegations that the gateway does not pass on', async (t) => {
  const before = asked('delegate')
  const send = async (change: Record<string, string>) => {
    const { message } = await client.signDelegation(bot.address, { scope: 'trade', until: now_s() + 60 })
    const changed = { ...message, ...change }
    return call(stage.url, 'POST', '/api/v1/keys', { message: changed, signature: alice.signMessage(canonicalJson(changed)) })
  }
  const bad = { key: alice.address, scope: 'withdraw', market: 'AAA', until: '1.5' }
  for (const [member, value] of Object.entries(bad)) refused(t, await send({ [member]: value }), 'message_malformed', member)
  refused(t, await send({ key: `G${'A'.repeat(55)}` }), 'message_malformed', 'a wrong checksum')
  refused(t, await send({ scope: 'read', market: marketName }), 'message_malformed', 'reading is of all of an account')
  refused(t, await send({ market: 'AAA-BBB' }), 'market_unknown')
  const { message, signature } = await client.signDelegation(bot.address, { scope: 'trade', until: now_s() + 60 })
  refused(t, await call(stage.url, 'POST', '/api/v1/keys', { message, signature: bot.signMessage(canonicalJson(message)) }), 'signature_invalid')
  refused(t, await call(stage.url, 'POST', '/api/v1/keys', { message, signature, signer: bot.address }), 'signature_invalid')
  refused(t, await call(stage.url, 'DELETE', `/api/v1/keys/${bob.address}`, await client.signRevocation(bot.address)), 'key_mismatch')
  t.equal(asked('delegate'), before)
})

t.test('an order that a delegated key signed names its signer', async (t) => {
  const trading = await Client.open(stage.url, bot, { account: alice.address })
  said = { answer: { refused: 'signer_not_allowed' } }
  const order = await trading.signOrder(marketName, { side: 'buy', type: 'limit', price: '0.12', quantity: '10', timeInForce: 'GTC' })
  refused(t, await call(stage.url, 'POST', '/api/v1/orders', order), 'signer_not_allowed')
  t.match(stage.vault.heard.at(-1), { kind: 'place', account: alice.address, signer: bot.address })
})

t.test('a key that the account has delegated logs in for the account', async (t) => {
  const transaction = await challenge(bot.address, alice.address)
  WebAuth.readChallengeTx(transaction, stage.gateway.signingKey, passphrase, 'pool.example', 'pool.example')
  t.ok(WebAuth.verifyChallengeTxSigners(bot.signTransaction(transaction, passphrase), stage.gateway.signingKey, passphrase, [bot.address], 'pool.example', 'pool.example'), 'by the rules of SEP-10')
  const token = await login()
  t.match(stage.vault.heard.at(-1), { kind: 'key', account: alice.address, key: bot.address })
  t.match(claimsOf(token), { sub: alice.address, key: bot.address })
  t.equal((await balances(token)).status, 200)
  t.match(stage.vault.heard.at(-1), { kind: 'balances', account: alice.address }, 'and reads what is the account\'s')
  t.strictSame(await (await Client.open(stage.url, bot, { account: alice.address })).balances(), [], 'the client does all that by itself')
})

t.test('a login that does not verify', async (t) => {
  said = { answer: { ok: key } }
  const gateway = Keypair.fromRawEd25519Seed(Buffer.from(stage.gateway.challengeSeed))
  const transaction = await challenge(bot.address, alice.address)
  const before = asked('key')
  refused(t, await answer(alice.signTransaction(transaction, passphrase)), 'challenge_invalid', 'signed by the account instead of the key')
  refused(t, await answer(bob.signTransaction(transaction, passphrase)), 'challenge_invalid', 'signed by somebody else')
  const plain = (await call(stage.url, 'GET', `/auth?account=${bot.address}`)).json.transaction as string
  const changed = (name: string, value: string, source: string, signer: Keypair): string => {
    const built = TransactionBuilder.cloneFrom(new Transaction(plain, passphrase)).addOperation(Operation.manageData({ name, value, source })).build()
    built.sign(signer)
    return bot.signTransaction(built.toXDR(), passphrase)
  }
  refused(t, await answer(changed('on_behalf_of', alice.address, gateway.publicKey(), Keypair.random())), 'challenge_invalid', 'an account that the gateway never signed')
  refused(t, await answer(changed('on_behalf_of', alice.address, bot.address, gateway)), 'challenge_invalid', 'named by the key itself')
  refused(t, await answer(changed('client_domain', alice.address, gateway.publicKey(), gateway)), 'challenge_invalid', 'another operation')
  t.equal((await answer(changed('on_behalf_of', alice.address, gateway.publicKey(), gateway))).status, 200, 'the test makes challenges as the gateway does')
  t.equal(asked('key'), before + 1, 'nobody is asked about a key that was not proved')
  for (const other of ['nobody', `G${'A'.repeat(55)}`, bot.address]) refused(t, await call(stage.url, 'GET', `/auth?account=${bot.address}&on_behalf_of=${other}`), 'request_malformed', other)
})

t.test('a key that the account has not delegated, or no longer, gets no token', async (t) => {
  const signed = async (): Promise<string> => bot.signTransaction(await challenge(bot.address, bob.address), passphrase)
  said = { answer: { refused: 'key_unknown' } }
  refused(t, await answer(await signed()), 'signer_not_allowed')
  said = { answer: { ok: { ...key, until: now_s() } } }
  refused(t, await answer(await signed()), 'signer_not_allowed', 'over this second')
  said = { answer: { refused: 'account_unavailable' } }
  refused(t, await answer(await signed()), 'account_unavailable')
  said = { answer: { ok: { ...key, until: now_s() + 5 } } }
  const { sub, exp } = claimsOf((await answer(await signed())).json.token as string)
  t.equal(sub, bob.address)
  t.ok(exp <= key.until && exp <= now_s() + 5, 'a token ends with its key')
})

t.test('a revoked key reads nothing more, though its token has time left', async (t) => {
  const token = await login()
  const before = asked('key')
  for (const given of await Promise.all(Array.from({ length: 20 }, () => balances(token)))) t.equal(given.status, 200)
  t.ok(asked('key') - before < 20, 'what was heard a moment ago is believed')
  said = { answer: { refused: 'key_unknown' } }
  await until('the gateway asks again', async () => (await balances(token)).status === 401)
  refused(t, await balances(token), 'token_invalid')
  const own = await client.login()
  t.equal((await balances(own)).status, 200, 'the account itself reads on')
  said = { answer: { ok: { ...key, until: now_s() - 1 } } }
  await answer(bot.signTransaction(await challenge(bot.address, alice.address), passphrase))
  refused(t, await balances(token), 'token_invalid', 'a key that is over is worth as little')
})
