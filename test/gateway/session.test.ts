import { Account, Keypair, Operation, TransactionBuilder, WebAuth } from '@stellar/stellar-sdk'
import { createHmac, randomBytes } from 'node:crypto'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { call, refused } from './call.ts'
import { openStage, trader } from './stage.ts'
import type { Stage } from './stage.ts'

const stage = await openStage()
t.teardown(() => stage.close())
const alice = trader('alice')
const bob = trader('bob')
const { passphrase } = stage.venue.file.network
const get = (authorization?: string) => call(stage.url, 'GET', '/api/v1/balances', undefined, authorization === undefined ? {} : { authorization })
stage.vault.script = () => ({ answer: { ok: [] } })

const challenge = async (account = alice.address): Promise<string> => (await call(stage.url, 'GET', `/auth?account=${account}`)).json.transaction as string
const answer = (transaction: string) => call(stage.url, 'POST', '/auth', { transaction })

t.test('a challenge signed by the account gives a token that reads the account', async (t) => {
  const transaction = await challenge()
  WebAuth.readChallengeTx(transaction, stage.gateway.signingKey, passphrase, 'pool.example', 'pool.example')
  const given = await answer(alice.signTransaction(transaction, passphrase))
  t.equal(given.status, 200)
  t.equal((await get(`Bearer ${given.json.token as string}`)).status, 200)
  t.match(stage.vault.heard.at(-1), { kind: 'balances', account: alice.address })
  const claims = JSON.parse(Buffer.from((given.json.token as string).split('.')[1]!, 'base64url').toString()) as { iat: number; exp: number }
  t.match(claims, { sub: alice.address, iss: 'https://pool.example/auth', aud: `local:${stage.venue.file.vault.contract}`, jti: /^[0-9a-f]{64}$/ })
  t.equal(claims.exp - claims.iat, 900, 'lives as long as the configuration says')
})

t.test('wallets may answer with a form', async (t) => {
  const signed = alice.signTransaction(await challenge(), passphrase)
  const given = await call(stage.url, 'POST', '/auth', new URLSearchParams({ transaction: signed }).toString(), { 'content-type': 'application/x-www-form-urlencoded' })
  t.equal(given.status, 200)
})

/** A challenge as the gateway makes them, with time bounds of our choice. */
function handmade(gateway: Keypair, minTime: number, maxTime: number): string {
  const transaction = new TransactionBuilder(new Account(gateway.publicKey(), '-1'), { fee: '100', networkPassphrase: passphrase, timebounds: { minTime, maxTime } })
    .addOperation(Operation.manageData({ name: 'pool.example auth', value: randomBytes(48).toString('base64'), source: alice.address }))
    .addOperation(Operation.manageData({ name: 'web_auth_domain', value: 'pool.example', source: gateway.publicKey() }))
    .build()
  transaction.sign(gateway)
  return transaction.toXDR()
}

t.test('challenges that do not verify', async (t) => {
  const transaction = await challenge()
  refused(t, await answer(transaction), 'challenge_invalid', 'not signed by the account')
  refused(t, await answer(bob.signTransaction(transaction, passphrase)), 'challenge_invalid', 'signed by somebody else')
  refused(t, await answer(bob.signTransaction(alice.signTransaction(transaction, passphrase), passphrase)), 'challenge_invalid', 'a signature too many')
  refused(t, await answer(alice.signTransaction(transaction, 'another network')), 'challenge_invalid', 'signed for another network')
  refused(t, await answer('AAAA'), 'challenge_invalid', 'no transaction')
  const forged = WebAuth.buildChallengeTx(Keypair.random(), alice.address, 'pool.example', 300, passphrase, 'pool.example')
  refused(t, await answer(alice.signTransaction(forged, passphrase)), 'challenge_invalid', 'made by another server')
  const gateway = Keypair.fromRawEd25519Seed(Buffer.from(stage.gateway.challengeSeed))
  const elsewhere = WebAuth.buildChallengeTx(gateway, alice.address, 'other.example', 300, passphrase, 'pool.example')
  refused(t, await answer(alice.signTransaction(elsewhere, passphrase)), 'challenge_invalid', 'for another home domain')
  const now = Math.floor(Date.now() / 1000)
  refused(t, await answer(alice.signTransaction(handmade(gateway, now - 400, now - 10), passphrase)), 'challenge_invalid', 'expired a moment ago')
  t.equal((await answer(alice.signTransaction(handmade(gateway, now - 10, now + 100), passphrase))).status, 200, 'the test makes challenges as the gateway does')
  const memo = WebAuth.buildChallengeTx(gateway, alice.address, 'pool.example', 300, passphrase, 'pool.example', '7')
  refused(t, await answer(alice.signTransaction(memo, passphrase)), 'challenge_invalid', 'with a memo, which this gateway never makes')
})

t.test('what a challenge is asked with', async (t) => {
  refused(t, await call(stage.url, 'GET', '/auth'), 'request_malformed')
  refused(t, await call(stage.url, 'GET', '/auth?account=nobody'), 'request_malformed')
  refused(t, await call(stage.url, 'GET', `/auth?account=G${'A'.repeat(55)}`), 'request_malformed', 'a wrong checksum')
  refused(t, await call(stage.url, 'GET', `/auth?account=${alice.address}&home_domain=evil.example`), 'request_malformed')
  t.equal((await call(stage.url, 'GET', `/auth?account=${alice.address}&home_domain=pool.example&client_domain=wallet.example`)).status, 200)
  const parsed = TransactionBuilder.fromXDR(await challenge(), passphrase)
  t.ok('timeBounds' in parsed && Number(parsed.timeBounds!.maxTime) - Number(parsed.timeBounds!.minTime) === 300, 'answerable for five minutes')
})

t.test('tokens that do not count', async (t) => {
  const secret = Buffer.from(stage.gateway.tokenSecrets[0]!)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const good = { sub: alice.address, jti: 'x', iat: now, exp: now + 60, iss: 'https://pool.example/auth', aud: `local:${stage.venue.file.vault.contract}` }
  const token = (claims: object, header: object = { alg: 'HS256', typ: 'JWT' }, hash = 'sha256', key = secret): string => {
    const signed = `${part(header)}.${part(claims)}`
    return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
  }
  t.equal((await get(`Bearer ${token(good)}`)).status, 200, 'the test makes tokens as the gateway does')
  t.equal((await get(`bearer ${token(good)}`)).status, 200, 'the scheme has no case')
  refused(t, await get(), 'token_missing')
  const bad: Record<string, string> = {
    'another scheme': `Basic ${token(good)}`,
    'no token': 'Bearer ',
    nonsense: 'Bearer a.b.c',
    'two tokens': `Bearer ${token(good)} ${token(good)}`,
    expired: `Bearer ${token({ ...good, exp: now - 1 })}`,
    'without an end': `Bearer ${token({ ...good, exp: undefined })}`,
    'of another issuer': `Bearer ${token({ ...good, iss: 'https://evil.example/auth' })}`,
    'for another vault': `Bearer ${token({ ...good, aud: 'local:C' })}`,
    'for another venue': `Bearer ${token({ ...good, aud: `other:${stage.venue.file.vault.contract}` })}`,
    'without an account': `Bearer ${token({ ...good, sub: undefined })}`,
    'another algorithm': `Bearer ${token(good, { alg: 'HS512', typ: 'JWT' }, 'sha512')}`,
    'no algorithm': `Bearer ${part({ alg: 'none', typ: 'JWT' })}.${part(good)}.`,
    'another secret': `Bearer ${token(good, undefined, 'sha256', Buffer.alloc(32))}`,
    'changed claims': `Bearer ${token(good).replace(/\.[^.]+\./, `.${part({ ...good, sub: bob.address })}.`)}`,
  }
  for (const [what, authorization] of Object.entries(bad)) refused(t, await get(authorization), 'token_invalid', what)
})

t.test('a new version of the secret: tokens live on where a gateway is one version away from the one that gave them, and no further', async (t) => {
  const at = async (tokens: number): Promise<Stage> => {
    const other = await openStage({}, (file) => ({ ...file, keys: { tokens } }))
    t.teardown(() => other.close())
    other.vault.script = () => ({ answer: { ok: [] } })
    return other
  }
  const stages = [stage, await at(2), await at(3)]
  const read = (url: string, token: string) => call(url, 'GET', '/api/v1/balances', undefined, { authorization: `Bearer ${token}` })
  for (const [given, { url }] of stages.entries()) {
    const { transaction } = (await call(url, 'GET', `/auth?account=${alice.address}`)).json as { transaction: string }
    const { token } = (await call(url, 'POST', '/auth', { transaction: alice.signTransaction(transaction, passphrase) })).json as { token: string }
    for (const [shown, other] of stages.entries()) {
      const answered = await read(other.url, token)
      if (Math.abs(given - shown) <= 1) t.equal(answered.status, 200, `version ${given + 1} shown to ${shown + 1}`)
      else refused(t, answered, 'token_invalid', `version ${given + 1} shown to ${shown + 1}`)
    }
  }
})

t.test('every route that reads an account asks for a token', async (t) => {
  const id = 'ab'.repeat(32)
  for (const path of [`/api/v1/orders/${id}`, '/api/v1/orders', '/api/v1/orderbook/XLM-USDC', '/api/v1/balances', `/api/v1/withdrawals/${id}`]) {
    refused(t, await call(stage.url, 'GET', path), 'token_missing', path)
  }
})

t.test('the client logs in by itself, and again when its token ends', async (t) => {
  const client = await Client.open(stage.url, alice)
  t.strictSame(await client.balances(), [])
  t.strictSame(await client.balances(), [])
})
