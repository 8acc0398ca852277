import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keypair } from '@stellar/stellar-sdk'
import t from 'tap'
import { developmentKeys } from '../../src/enclave/simulator/developmentKeys.ts'
import { natsKeys } from '../../src/enclave/natsKeys.ts'
import type { Amount, Lots, MarketName, Milliseconds } from '../../src/protocol/identity.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import type { CancelAllOrders, DelegateKey, KeyState, PlaceOrder, VaultCommand, VaultQuery } from '../../src/protocol/vault.ts'
import { resting } from '../gateway/fakeVault.ts'
import { openSubscriberStage } from '../subscribers/stage.ts'

// Each case is a process of its own.
t.setTimeout(600_000)
const state = mkdtempSync(join(tmpdir(), 'darkpool-cli-'))
t.teardown(() => rmSync(state, { recursive: true, force: true }))
const stage = await openSubscriberStage((file) => ({ ...file, nats: { ...file.nats, addresses: file.nats.servers } }), await natsKeys(developmentKeys(join(state, 'keys', 'root'))))
t.teardown(() => stage.close())

// A local venue's folder as `npm start` leaves it.
const alice = Keypair.random()
mkdirSync(join(state, 'keys'), { recursive: true })
writeFileSync(join(state, 'keys', 'alice.seed'), `${alice.secret()}\n`, { mode: 0o600 })
writeFileSync(join(state, 'keys', 'broken.seed'), 'not a key\n')
writeFileSync(join(state, 'venue.json'), JSON.stringify({ ...stage.venue.file, gateway: { ...stage.venue.file.gateway, port: Number(new URL(stage.url).port) } }))

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/darkpool.ts'), ...args, '--state', state], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

async function darkpool(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(...args)
  let [stdout, stderr] = ['', '']
  child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

t.test('a reader that goes away ends a command without a word', async (t) => {
  const child = start('markets', '--url', stage.url)
  let said = ''
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdout!.destroy()
  const [code] = (await once(child, 'close')) as [number | null]
  t.same([code, said], [0, ''])
})

t.test('orders by hand', async (t) => {
  const placed = await darkpool('order', 'buy', 'XLM-USDC', '--quantity', '10.0', '--price', '.1200', '--as', 'alice', '--expires', '2h')
  t.match(placed, { code: 0, stderr: '', stdout: /^buy 10 XLM at 0\.12 USDC: open, nothing traded\norder [0-9a-f]{64}\n$/ })
  const command = stage.vault.heard.at(-1) as PlaceOrder
  t.match(command, { account: alice.publicKey(), type: 'limit', timeInForce: 'GTC', ticks: 1200, lots: 10 })
  t.ok(Math.abs(command.expires - Date.now() / 1000 - 7_200) < 60, 'expires in two hours')

  const market = await darkpool('market', 'buy', 'XLM-USDC', '--spend', '5', '--as', 'alice', '--json')
  t.match(JSON.parse(market.stdout), { type: 'market', spend: '5', quantity: null })
  await darkpool('market', 'sell', 'XLM-USDC', '--quantity', '3', '--price', '0.1', '--tif', 'FOK', '--key', join(state, 'keys', 'alice.seed'))
  t.match(stage.vault.heard.at(-1), { type: 'market', side: 'sell', timeInForce: 'FOK' })

  stage.vault.script = (asked) => ({
    answer: { ok: { order: (asked as VaultCommand & { order: string }).order, status: 'cancelled', reason: 'cancelled', filledLots: 4 as Lots, filledQuote: 4_800_000n as Amount, time: 0 as Milliseconds } },
    from: pairActor('XLM-USDC' as MarketName),
  })
  const cancelled = await darkpool('cancel', command.id, '--as', 'alice')
  t.match(cancelled, { code: 0, stdout: `cancelled: 4 XLM had traded for 0.48 USDC\norder ${command.id}\n` })
})

t.test('what an order asks for besides', async (t) => {
  stage.vault.script = (asked) => resting(asked as PlaceOrder)
  const order = ['order', 'sell', 'XLM-USDC', '--quantity', '10', '--price', '0.2', '--as', 'alice', '--json']
  const cases: [string[], object][] = [
    [[], { postOnly: false, condition: 'none', selfTrade: 'cancelNewest' }],
    [['--post-only', '--self-trade', 'oldest'], { postOnly: true, selfTrade: 'cancelOldest' }],
    [['--all-or-none', '--self-trade', 'both'], { condition: 'allOrNone', selfTrade: 'cancelBoth' }],
    [['--minimum', '5.0', '--minimum-per', 'execution'], { condition: 'aggregate', minimum: 5, returnRemainder: false }],
    [['--minimum', '5', '--minimum-per', 'counterparty', '--return-remainder', '--self-trade', 'decrement'], { condition: 'perCounterparty', minimum: 5, returnRemainder: true, selfTrade: 'decrement' }],
  ]
  for (const [flags, terms] of cases) {
    t.equal((await darkpool(...order, ...flags)).code, 0, flags.join(' '))
    t.match(stage.vault.heard.at(-1), { kind: 'place', terms })
  }
})

t.test('amend and cancel-all', async (t) => {
  const id = 'ab'.repeat(32)
  const outcome = { order: id, status: 'open', reason: null, ticks: 1_300, lots: 25, filledLots: 4 as Lots, filledQuote: 4_800_000n as Amount, time: 0 as Milliseconds }
  stage.vault.script = () => ({ answer: { ok: outcome }, from: pairActor('XLM-USDC' as MarketName) })
  t.match(await darkpool('amend', id, '--quantity', '25', '--price', '0.130', '--as', 'alice'), { code: 0, stdout: `open: 25 XLM at 0.13 USDC, of which 4 have traded\norder ${id}\n` })
  t.match(stage.vault.heard.at(-1), { kind: 'amend', order: id, price: '0.13', quantity: '25' })
  stage.vault.script = () => ({ answer: { refused: 'amend_too_late', found: outcome }, from: pairActor('XLM-USDC' as MarketName) })
  t.match(await darkpool('amend', id, '--quantity', '3', '--price', '0.13', '--as', 'alice'), { code: 3, stderr: /\[amend_too_late\]\ndarkpool: the order is open, with 4 of 25 traded\n$/ })
  stage.vault.script = (asked) => ({ answer: { ok: { id: (asked as CancelAllOrders).id, cancelled: 1, markets: [], halted: [] } } })
  t.match(await darkpool('cancel-all', 'XLM-USDC', '--as', 'alice'), { code: 0, stdout: '1 order taken back\n' })
  t.match(stage.vault.heard.at(-1), { kind: 'cancelAll', market: 'XLM-USDC' })
  stage.vault.script = (asked) => ({ answer: { ok: { id: (asked as CancelAllOrders).id, cancelled: 12, markets: ['XLM-USDC'], halted: ['EURC-USDC'] } } })
  t.match(await darkpool('cancel-all', '--as', 'alice'), { code: 0, stdout: '12 orders taken back; still to come: XLM-USDC; halted, nothing came back: EURC-USDC\n' })
  t.match(stage.vault.heard.at(-1), { kind: 'cancelAll', market: null })
})

t.test('dead-man timers', async (t) => {
  const signer = alice.publicKey()
  stage.vault.script = () => ({ answer: { ok: { signer, timeout_ms: 30_000, deadline: 1_800_000_000_000, waiting: [] } } })
  t.match(await darkpool('dead-man', '30s', '--as', 'alice'), { code: 0, stdout: 'orders are taken back at 2027-01-15T08:00:00.000Z unless the timer is set again\n' })
  t.match(stage.vault.heard.at(-1), { kind: 'deadMan', timeout_s: 30 })
  stage.vault.script = () => ({ answer: { ok: { signer, timeout_ms: null, deadline: null, waiting: [] } } })
  t.match(await darkpool('dead-man', 'off', '--as', 'alice'), { code: 0, stdout: 'no timer runs\n' })
  t.match(stage.vault.heard.at(-1), { kind: 'deadMan', timeout_s: 0 })
  stage.vault.script = () => ({ answer: { ok: [{ signer, timeout_ms: 30_000, deadline: 1_800_000_000_000, waiting: [] }] } })
  t.match(await darkpool('dead-man', '--as', 'alice'), { code: 0, stdout: /30 s +2027-01-15T08:00:00.000Z +G/ })
  t.match(await darkpool('dead-man', 'soon', '--as', 'alice'), { code: 2 })
})

t.test('a timer that some markets have yet to hear of', async (t) => {
  stage.vault.script = () => ({ answer: { ok: { signer: alice.publicKey(), timeout_ms: 5_000, deadline: 1_800_000_000_000, waiting: ['XLM-USDC', 'EURC-USDC'] } } })
  const set = await darkpool('dead-man', '5s', '--as', 'alice')
  t.equal(set.stdout, 'orders are taken back at 2027-01-15T08:00:00.000Z unless the timer is set again; not yet in XLM-USDC, EURC-USDC\n')
  t.match(JSON.parse((await darkpool('dead-man', '5s', '--as', 'alice', '--json')).stdout), { timeout: 5, waiting: ['XLM-USDC', 'EURC-USDC'] })
  stage.vault.script = () => ({ answer: { ok: [] } })
  t.match(await darkpool('dead-man', '--as', 'alice'), { code: 0, stdout: 'no timer runs\n' })
  t.match(await darkpool('dead-man', '4s', '--as', 'alice'), { code: 3, stdout: '', stderr: /\[timeout_out_of_range\]/ })
  t.match(await darkpool('dead-man', '5s', '6s', '--as', 'alice'), { code: 2, stderr: /takes a time such as 30s, or off/ })
})

t.test('keys: lets one trade, or read, lists them and ends one', async (t) => {
  const key = Keypair.random().publicKey()
  const granted = (asked: VaultCommand | VaultQuery, status: KeyState['status'] = 'active') => {
    const { market, scope, until } = asked as DelegateKey
    return { answer: { ok: { key, scope, market, until, status } } }
  }
  stage.vault.script = (asked) => granted(asked)
  t.match(await darkpool('keys', 'add', key, '--as', 'alice'), { code: 0, stderr: '', stdout: new RegExp(`^may trade everywhere and read until 20..-..-..T..:..:..\\.000Z\nkey ${key}\n$`) })
  const anywhere = stage.vault.heard.at(-1) as DelegateKey
  t.match(anywhere, { kind: 'delegate', account: alice.publicKey(), signer: alice.publicKey(), key, scope: 'trade', market: null })
  t.ok(Math.abs(anywhere.until - Date.now() / 1_000 - 30 * 86_400) < 120, 'for thirty days')

  t.match(await darkpool('keys', 'add', key, '--market', 'XLM-USDC', '--until', '2d', '--as', 'alice'), { code: 0, stdout: /^may trade in XLM-USDC and read until / })
  t.match(stage.vault.heard.at(-1), { scope: 'trade', market: 'XLM-USDC' })
  const reads = await darkpool('keys', 'add', key, '--scope', 'read', '--until', '1h', '--expires', '5m', '--as', 'alice', '--json')
  t.match(JSON.parse(reads.stdout), { key, scope: 'read', market: 'all', status: 'active' })
  const { expires, until } = stage.vault.heard.at(-1) as DelegateKey
  t.ok(Math.abs(until - Date.now() / 1_000 - 3_600) < 120)
  t.ok(Math.abs(expires - Date.now() / 1_000 - 300) < 120)

  stage.vault.script = () => ({ answer: { ok: { key, scope: 'trade', market: null, until: 1_900_000_000, status: 'revoked' } } })
  t.match(await darkpool('keys', 'revoke', key, '--as', 'alice'), { code: 0, stdout: `may trade everywhere and read: revoked\nkey ${key}\n` })
  t.match(stage.vault.heard.at(-1), { kind: 'revoke', account: alice.publicKey(), key })

  stage.vault.script = () => ({ answer: { ok: [] } })
  t.match(await darkpool('keys', '--as', 'alice'), { code: 0, stdout: "no keys but the account's own\n" })
  stage.vault.script = () => ({ answer: { ok: [{ key, scope: 'trade', market: 'XLM-USDC', until: 1_900_000_000, status: 'active' }] } })
  t.match(await darkpool('keys', 'list', '--as', 'alice'), { code: 0, stdout: new RegExp(`trade +XLM-USDC +2030-03-17T17:46:40\\.000Z +active +${key}\n$`) })

  stage.vault.script = () => ({ answer: { refused: 'key_unknown' } })
  t.match(await darkpool('keys', 'revoke', key, '--as', 'alice'), { code: 3, stdout: '', stderr: /\[key_unknown\]/ })
  const misunderstood: [RegExp, string[]][] = [
    [/keys lend: list, add or revoke/, ['lend']],
    [/nothing is no Stellar public key/, ['add']],
    [/GABC is no Stellar public key/, ['revoke', 'GABC']],
    [/--scope withdraw: trade or read/, ['add', key, '--scope', 'withdraw']],
    [/--market belongs to --scope trade/, ['add', key, '--scope', 'read', '--market', 'XLM-USDC']],
    [/--until tomorrow/, ['add', key, '--until', 'tomorrow']],
    [/takes list, add KEY or revoke KEY/, ['list', key]],
  ]
  const before = stage.vault.heard.length
  const ended = await Promise.all(misunderstood.map(([, words]) => darkpool('keys', ...words, '--as', 'alice')))
  for (const [n, [sentence]] of misunderstood.entries()) t.match(ended[n], { code: 2, stdout: '', stderr: sentence })
  t.equal(stage.vault.heard.length, before, 'and nothing was sent')
})

t.test('a key that was delegated acts for its account, by names of its choice', async (t) => {
  const bot = Keypair.random()
  writeFileSync(join(state, 'keys', 'bot.seed'), `${bot.secret()}\n`, { mode: 0o600 })
  const account = Keypair.random().publicKey()
  const until = Math.floor(Date.now() / 1_000) + 600
  const grant = { answer: { ok: { key: bot.publicKey(), scope: 'trade', market: null, until, status: 'active' } } } as const
  stage.vault.script = (asked) => (asked.kind === 'place' ? resting(asked) : grant)
  const order = ['order', 'buy', 'XLM-USDC', '--quantity', '2', '--price', '0.1', '--client-id', 'bot-1', '--for', account]
  t.match(await darkpool(...order, '--as', 'bot'), { code: 0 })
  t.match(stage.vault.heard.at(-1), { kind: 'place', account, signer: bot.publicKey(), clientOrderId: 'bot-1' })
  const outcome = { order: 'ab'.repeat(32), status: 'cancelled', reason: 'cancelled', filledLots: 0 as Lots, filledQuote: 0n as Amount, time: 0 as Milliseconds }
  stage.vault.script = () => ({ answer: { ok: outcome }, from: pairActor('XLM-USDC' as MarketName) })
  t.match(await darkpool('cancel', '--client-id', 'bot-1', '--for', account, '--as', 'bot'), { code: 0, stdout: /^cancelled: 0 XLM had traded/ })
  t.match(stage.vault.heard.at(-1), { kind: 'cancel', account, signer: bot.publicKey(), order: null, clientOrderId: 'bot-1' })
  t.match(await darkpool('cancel', '--client-id', 'no spaces', '--for', account, '--as', 'bot'), { code: 2, stderr: /--client-id no spaces/ })
  t.match(await darkpool('orders', '--for', 'GABC', '--as', 'bot'), { code: 2, stderr: /--for GABC: the Stellar account/ })

  t.match(await darkpool('watch', '--for', 'GABC', '--as', 'bot'), { code: 2, stderr: /--for GABC/ })
  rmSync(join(state, 'keys', 'bot.seed'))
})

t.test('reads log in by themselves', async (t) => {
  stage.vault.script = () => ({ answer: { ok: [{ asset: stage.venue.assets[0]!.contract, settled: 100_000_000n, pending: 0n, reserved: 12_000_000n, available: 88_000_000n }] } })
  t.match(await darkpool('balances', '--as', 'alice'), { code: 0, stdout: /asset +settled +pending +reserved +available\nXLM +10 +0 +1\.2 +8\.8\n/ })
  stage.vault.script = () => ({ answer: { ok: [] } })
  t.match(await darkpool('orders', 'XLM-USDC', '--all', '--limit', '5', '--as', 'alice'), { code: 0, stdout: 'no orders\n' })
  t.match(stage.vault.heard.at(-1), { kind: 'orders', market: 'XLM-USDC', open: false, limit: 5 })
  t.match(await darkpool('book', 'XLM-USDC', '--as', 'alice'), { code: 0, stdout: 'no orders\n' })
  t.match(await darkpool('markets', '--url', stage.url), { code: 0, stdout: /XLM-USDC +open +0\.0001 +1 +2 +1000 +10 +0 % +0 %\n/ })
  stage.pair.status = null
  t.match(await darkpool('markets', '--url', stage.url), { code: 0, stdout: /XLM-USDC +unavailable / })
})

t.test('an outcome that is not known is asked for again with the same message', async (t) => {
  let silent = 2
  stage.vault.script = (asked) => (silent-- > 0 ? { answer: { refused: 'outcome_unknown' } } : resting(asked as PlaceOrder))
  const before = stage.vault.heard.length
  t.match(await darkpool('order', 'buy', 'XLM-USDC', '--quantity', '2', '--price', '0.1', '--as', 'alice'), { code: 0 })
  const asked = stage.vault.heard.slice(before) as PlaceOrder[]
  t.equal(asked.length, 3)
  t.equal(new Set(asked.map(({ id }) => id)).size, 1)
})

t.test('each failure is one sentence and an exit code', async (t) => {
  stage.vault.script = () => ({ answer: { refused: 'funds_insufficient' } })
  const order = ['order', 'buy', 'XLM-USDC', '--quantity', '10', '--price', '0.12']
  const cases: [number, RegExp, string[]][] = [
    [2, /which command/, []],
    [2, /no command dance/, ['dance']],
    [2, /say who trades: --as NAME or --key FILE; there is alice, broken$/m, order],
    [2, /nobody\.seed cannot be read \(ENOENT\); there is alice, broken$/m, [...order, '--as', 'nobody']],
    [2, /broken\.seed holds no Stellar secret key/, [...order, '--as', 'broken']],
    [2, /letters, digits/, [...order, '--as', '../alice']],
    [2, /--price is missing/, ['order', 'buy', 'XLM-USDC', '--quantity', '1', '--as', 'alice']],
    [2, /quantity 1e3 is no number/, ['order', 'buy', 'XLM-USDC', '--quantity', '1e3', '--price', '1', '--as', 'alice']],
    [2, /--tif DAY/, [...order, '--as', 'alice', '--tif', 'DAY']],
    [2, /--expires soon/, [...order, '--as', 'alice', '--expires', 'soon']],
    [2, /no order id/, ['cancel', '12', '--as', 'alice']],
    [2, /no order id/, ['amend', '12', '--quantity', '1', '--price', '1', '--as', 'alice']],
    [2, /--quantity is missing/, ['amend', 'ab'.repeat(32), '--price', '1', '--as', 'alice']],
    [2, /takes one market, or none/, ['cancel-all', 'A-B', 'C-D', '--as', 'alice']],
    [2, /--self-trade never/, [...order, '--as', 'alice', '--self-trade', 'never']],
    [2, /--minimum-per fill/, [...order, '--as', 'alice', '--minimum', '1', '--minimum-per', 'fill']],
    [2, /are for orders that rest/, ['market', 'buy', 'XLM-USDC', '--spend', '1', '--post-only', '--as', 'alice']],
    [2, /--spend stands alone/, ['market', 'buy', 'XLM-USDC', '--spend', '1', '--minimum', '1', '--as', 'alice']],
    [1, /there is no market BTC-USDC/, ['cancel-all', 'BTC-USDC', '--as', 'alice']],
    [2, /Unknown option '--frob'/, ['order', '--frob']],
    [1, /there is no market BTC-USDC; there is XLM-USDC, EURC-USDC/, ['order', 'buy', 'BTC-USDC', '--quantity', '1', '--price', '1', '--as', 'alice']],
    [3, /does not cover the order\. \[funds_insufficient\]/, [...order, '--as', 'alice']],
    [4, /never sent/, [...order, '--as', 'alice', '--url', 'http://no-such-host.invalid']],
  ]
  for (const [code, sentence, args] of cases) {
    const ended = await darkpool(...args)
    t.equal(ended.code, code, `${sentence}`)
    t.match(ended.stderr, sentence)
    t.equal(ended.stderr.trim().split('\n').length, 1, 'one line')
    t.equal(ended.stdout, '')
    t.notMatch(ended.stderr, alice.secret())
  }
})

t.test('watch shows the feed until it is told to stop', async (t) => {
  await stage.feeds.open()
  await stage.feeds.store(alice.publicKey(), { type: 'deposit', asset: 'XLM', amount: '10', transaction: 'ab', ledger: 7 })
  const child = start('watch', '--as', 'alice', '--after', '0')
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer]
  t.equal(chunk.toString(), '2023-11-14T22:13:21Z  #1  deposit of 10 XLM in transaction ab, ledger 7\n')
  child.kill('SIGINT')
  const [code] = (await once(child, 'close')) as [number | null]
  t.equal(code, 0)
})
