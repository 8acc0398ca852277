import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Contract, Keypair, nativeToScVal, xdr } from '@stellar/stellar-sdk'
import t from 'tap'
import { Client } from '../../src/client/client.ts'
import type { FillView } from '../../src/client/views/history.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import { readBatch, verifyReceipt } from '../../src/client/receipt.ts'
import { contractView } from '../../src/settlement/contractView.ts'
import { ContractRefusal } from '../../src/settlement/contractRefusal.ts'
import { TransactionFailed } from '../../src/settlement/transaction.ts'
import type { WithdrawalView } from '../../src/protocol/feed.ts'
import { address } from '../../src/settlement/scValues.ts'
import { execute } from '../../src/settlement/transaction.ts'
import { keyValue, SmartWallet } from '../settlement/smartWallet.ts'
import { until } from '../settlement/waiting.ts'
import { units } from './books.ts'
import { persist, refusal, VenueUnderTest } from './venueUnderTest.ts'

const XLM = 'XLM-USDC'
const EXPIRY_TIMEOUT_ms = 120_000

t.setTimeout(600_000)
// On a channel that is not the default one: its engine has both, and co-signs.
const under = await VenueUnderTest.start(2, { settlement: { channel: 3, maxAge_ms: 100, maxAccounts: 150, maxTrades: 1_000 } })
const books = await under.books('alice', 'bob')
t.teardown(async () => {
  await books.close()
  await under.stop()
})
const alice = books.client('alice')

/** Resolves with the withdrawal as the feed first shows it with that status. */
async function withdrawal(id: string, status: WithdrawalView['status'], timeout_ms = 60_000): Promise<WithdrawalView> {
  const told = await books.feed('alice').next('withdrawal', (message) => message.withdrawal.id === id && message.withdrawal.status === status, timeout_ms)
  return told.withdrawal
}

t.test('a deposit is seen once, whatever becomes of the watcher', async (t) => {
  const deposits = (): number => books.feed('alice').messages.filter(({ type }) => type === 'deposit').length
  for (const end = Date.now() + 30_000; deposits() < 3 && Date.now() < end; ) await delay(50)
  t.equal(deposits(), 3, 'what it began with')
  under.venue.terminate('watcher.0')
  const applied = await books.trader('alice').deposit('USDC', units('100'))
  under.venue.terminate('watcher.0')
  books.moved('alice', 'USDC', units('100'))
  await books.check(t)
  under.venue.terminate('watcher.0')
  await books.trader('alice').deposit('USDC', units('11'))
  books.moved('alice', 'USDC', units('11'))
  await books.check(t)
  t.equal(deposits(), 5, 'each once')
  t.match(books.feed('alice').messages.findLast((message) => message.type === 'deposit' && message.amount === '100'), { asset: 'USDC', transaction: applied.hash, ledger: applied.ledger })
})

t.test('a withdrawal', async (t) => {
  const asked = await alice.withdraw('USDC', '111')
  t.match(asked, { asset: 'USDC', amount: '111' })
  books.reserves('alice', 'USDC', '111')
  const cosigned = await withdrawal(asked.id, 'cosigned')
  await books.check(t)
  const account = books.trader('alice').key.publicKey()
  t.match(await under.darkpool('withdrawals', account), { counts: { requested: 0, cosigned: 1 }, withdrawals: [{ id: asked.id, account, asset: 'USDC', amount: '111', waitsFor: 'owner', stuck: false }], silent: [] }, 'as its operator sees it')
  const { hash, ledger } = await books.trader('alice').withdraw('USDC', units('111'), cosigned.authorization!)
  t.match(await withdrawal(asked.id, 'completed'), { transaction: hash, ledger, amount: '111' })
  books.reserves('alice', 'USDC', '0')
  books.moved('alice', 'USDC', -units('111'))
  await books.check(t)
  await t.rejects(books.trader('alice').withdraw('USDC', units('111'), cosigned.authorization!), 'the authorisation is good for one time')
  await books.check(t)
})

t.test('reserved and unsettled funds stay', async (t) => {
  const order = await books.limit('alice', XLM, 'buy', '900', '1')
  books.reserves('alice', 'USDC', '900')
  t.equal(await refusal(alice.withdraw('USDC', '100.0000001')), 'funds_insufficient', 'more than is free')
  await books.check(t)
  // Without the engine the chain lets nobody take them either.
  const other = await alice.withdraw('XLM', '5')
  const cosigned = await withdrawal(other.id, 'cosigned')
  const stolen = books.trader('alice').withdraw('USDC', units('900'), cosigned.authorization!)
  await t.rejects(stolen, 'an authorisation for something else')
  t.ok(await stolen.catch((error: unknown) => error instanceof ContractRefusal || error instanceof TransactionFailed), 'it is the chain that refuses')
  await books.trader('alice').withdraw('XLM', units('5'), cosigned.authorization!)
  books.moved('alice', 'XLM', -units('5'))
  await withdrawal(other.id, 'completed')
  await books.check(t)
  await alice.cancelOrder(order.id)
  books.reserves('alice', 'USDC', '0')
  await books.check(t)
})

t.test('what was bought can be withdrawn once it is settled', async (t) => {
  // No ledger closes while localnet is away, so the trade stays unsettled for as long as the test wants.
  await under.venue.localnet.stop()
  await books.limit('bob', XLM, 'sell', '1000', '0.5')
  t.match(await books.limit('alice', XLM, 'buy', '1000', '0.5'), { status: 'filled' })
  const held = (await persist(() => alice.balances())).find(({ asset }) => asset === 'XLM')
  t.match(held, { settled: '995', pending: '1000', available: '1995' })
  t.equal(await refusal(alice.withdraw('XLM', '1995')), 'funds_insufficient', 'not before')
  await under.venue.localnet.start()
  books.traded('alice', 'bob', XLM, '1000', '0.5')
  await books.check(t)
  const asked = await alice.withdraw('XLM', '1995')
  const cosigned = await withdrawal(asked.id, 'cosigned')
  await books.trader('alice').withdraw('XLM', units('1995'), cosigned.authorization!)
  await withdrawal(asked.id, 'completed')
  books.moved('alice', 'XLM', -units('1995'))
  await books.check(t)
})

t.test('a withdrawal that nobody completes is released when its authorisation is over', async (t) => {
  const asked = await alice.withdraw('EURC', '250')
  const cosigned = await withdrawal(asked.id, 'cosigned')
  books.reserves('alice', 'EURC', '250')
  await books.check(t)
  await withdrawal(asked.id, 'expired', EXPIRY_TIMEOUT_ms)
  books.reserves('alice', 'EURC', '0')
  await books.check(t)
  await t.rejects(books.trader('alice').withdraw('EURC', units('250'), cosigned.authorization!), 'the chain does not take it any more')
  t.match(await under.darkpool('withdrawals', '--all', '--limit', '1'), { counts: { requested: 0, cosigned: 0, expired: 1 }, withdrawals: [{ id: asked.id, status: 'expired', waitsFor: null }] })
  await books.check(t)
  t.match(await under.darkpool('reconcile'), { reconciled: { ledger: Number }, balances: 0, first: [] }, 'and all the while books and chain agreed')
})

t.test('a smart wallet deposits, trades by the key that it names on chain, settles and withdraws; another key on chain ends the first', async (t) => {
  const { chain, gatewayUrl } = under.venue
  const payer = await chain.signer(books.trader('bob').key)
  const wallet = await SmartWallet.create(payer)
  const [vault, xlm, usdc] = [alice.binding.vault, alice.asset('XLM').contract, alice.asset('USDC').contract]
  const amount = (whole: string): xdr.ScVal => nativeToScVal(units(whole), { type: 'i128' })
  const own = address(wallet.address)
  const name = (key: Keypair | null) => wallet.call(vault, 'set_trading_key', [own, key === null ? xdr.ScVal.scvVoid() : keyValue(key.publicKey())])
  await execute(payer, new Contract(xlm).call('transfer', address(payer.key.publicKey()), own, amount('100')))
  const deposit = [own, address(xlm), amount('100')]
  await t.rejects(wallet.call(vault, 'deposit', deposit, [], payer.key), 'by its owner alone')
  await wallet.call(vault, 'deposit', deposit)

  const [first, second] = [Keypair.random(), Keypair.random()]
  const [one, two] = (await Promise.all([first, second].map((key) => Client.open(gatewayUrl, new SecretSigner(key.secret()), { account: wallet.address })))) as [Client, Client]
  const sells = (client: Client, quantity: string, price: string) => client.placeOrder(XLM, { side: 'sell', type: 'limit', price, quantity, timeInForce: 'GTC' })
  t.equal(await refusal(sells(one, '40', '0.5')), 'signer_not_allowed')
  await name(first)
  await until('the venue has read the key and the deposit', async () => (await refusal(one.balances())) === 'taken' && (await one.balances()).some(({ asset, available }) => asset === 'XLM' && available === '100'))
  t.match(await one.keys(), [{ key: first.publicKey(), scope: 'trade', market: 'all', status: 'active' }])
  t.match(await sells(one, '40', '0.5'), { status: 'open' })
  t.match(await books.limit('bob', XLM, 'buy', '40', '0.5'), { status: 'filled' })
  const held = async (client: Client, asset: string): Promise<object | undefined> => (await persist(() => client.balances())).find((balance) => balance.asset === asset)
  await until('it has settled', async () => JSON.stringify(await held(one, 'USDC')).includes('"settled":"20","pending":"0"'))
  t.match(await held(one, 'XLM'), { settled: '60', pending: '0', available: '60' })
  const { value: fill } = (await one.history.fills().next()) as { value: FillView }
  const receipt = await one.receipt(fill.trade)
  t.match(verifyReceipt(receipt, await readBatch(chain.url, receipt, vault)), { account: wallet.address, channel: 3 })

  const resting = await sells(one, '10', '0.9')
  await name(second)
  await until('the venue has read the other key', async () => (await refusal(two.balances())) === 'taken')
  t.equal(await refusal(sells(one, '1', '0.9')), 'signer_not_allowed')
  t.equal(await refusal(one.cancelOrder(resting.id)), 'signer_not_allowed')
  t.equal(await refusal(one.withdraw('USDC', '1')), 'signer_not_allowed')
  t.match(await two.cancelOrder(resting.id), { status: 'cancelled' })
  const keyFile = under.venue.state.file('keys', 'second.seed')
  writeFileSync(keyFile, second.secret(), { mode: 0o600 })
  const commanded = await promisify(execFile)(process.execPath, [join(import.meta.dirname, '../../src/cli/darkpool.ts'), 'withdraw', 'USDC', '20', '--for', wallet.address, '--key', keyFile, '--url', gatewayUrl, '--rpc', chain.url, '--json'])
  const asked = JSON.parse(commanded.stdout) as WithdrawalView
  t.match(asked, { status: 'cosigned', asset: 'USDC', amount: '20' })
  const engine = xdr.SorobanAuthorizationEntry.fromXdr(asked.authorization!, 'base64')
  await t.rejects(wallet.call(vault, 'withdraw', [own, address(usdc), amount('20')], [engine], second), 'a trading key moves no money')
  await wallet.call(vault, 'withdraw', [own, address(usdc), amount('20')], [engine])
  await until('the venue has seen it', async () => (await persist(() => two.withdrawal(asked.id))).status === 'completed')
  t.equal((await contractView(chain.server, payer.passphrase, new Contract(usdc), 'balance', own)).value, units('20'))

  await name(null)
  await until('the venue has read that there is none', async () => (await refusal(two.balances())) !== 'taken')
  t.equal(await refusal(sells(two, '1', '0.9')), 'signer_not_allowed')
})
