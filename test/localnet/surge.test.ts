// Full ledgers: who enters, what it costs, who is replaced or outbid, and what a restart keeps.

import t from 'tap'
import { Asset, Keypair, Operation, rpc, TransactionBuilder, type FeeBumpTransaction, type Transaction } from '@stellar/stellar-sdk'
import { startLocalnet } from './process.ts'
import { Wallet } from './wallet.ts'

let net = await startLocalnet({ ledgerTime: 'manual', state: t.testdir() })
t.teardown(() => net.stop())
let server = new rpc.Server(net.url, { allowHttp: true })
const people = Array.from({ length: 6 }, () => new Wallet(net))
await Promise.all(people.map(one => one.fund()))
const [alice, bob, carol, dave, erin, payer] = people as [Wallet, Wallet, Wallet, Wallet, Wallet, Wallet]

const hashOf = (transaction: Transaction | FeeBumpTransaction): string => Buffer.from(transaction.hash()).toString('hex')

/** A signed payment of one operation that bids `fee` stroops. */
async function payment(from: Wallet, fee: number): Promise<Transaction> {
  const builder = new TransactionBuilder(await server.getAccount(from.address), { fee: String(fee), networkPassphrase: net.passphrase })
  const operation = Operation.payment({ destination: payer.address, asset: Asset.native(), amount: '1' })
  const transaction = builder.addOperation(operation).setTimeout(300).build()
  transaction.sign(from.keys)
  return transaction
}

function bump(inner: Transaction, fee: number): FeeBumpTransaction {
  // The SDK takes the fee per operation, of which the bump is one.
  const transaction = TransactionBuilder.buildFeeBumpTransaction(payer.keys, String(fee), inner, net.passphrase)
  transaction.sign(payer.keys)
  return transaction
}

const status = async (hash: string): Promise<string> => (await server.getTransaction(hash)).status

await t.test('a ledger that is full takes the best bids, at the lowest of them', async t => {
  t.match(await net.admin('GET', 'limits'), { operations: 1_000, contractTransactions: 500, poolLedgers: null, waiting: 0 })
  t.match(await net.admin('POST', 'limits', { operations: 2 }), { operations: 2 })
  const [low, high, middle] = [await payment(alice, 150), await payment(bob, 5_000), await payment(carol, 700)]
  for (const one of [low, high, middle]) t.equal((await server.sendTransaction(one)).status, 'PENDING')
  await net.close()
  t.equal(await status(hashOf(low)), 'NOT_FOUND')
  for (const one of [high, middle]) {
    const found = await server.getTransaction(hashOf(one))
    t.equal(found.status === rpc.Api.GetTransactionStatus.SUCCESS && found.resultXdr.feeCharged, 700n)
  }
  const stats = await server.getFeeStats()
  t.match(stats.inclusionFee, { max: '700', min: '100', p99: '700' })

  // It waits on and enters at the base fee when there is room.
  await net.close()
  const found = await server.getTransaction(hashOf(low))
  t.equal(found.status === rpc.Api.GetTransactionStatus.SUCCESS && found.resultXdr.feeCharged, 100n)
})

await t.test('a fee bump takes the place of a waiting transaction for ten times its rate', async t => {
  // A bump counts as one operation more.
  await net.admin('POST', 'limits', { operations: 2 })
  const stuck = await payment(alice, 200)
  const rival = await payment(bob, 900)
  for (const one of [stuck, rival]) t.equal((await server.sendTransaction(one)).status, 'PENDING')
  const tooLow = await server.sendTransaction(bump(stuck, 1_999))
  t.equal(tooLow.status, 'ERROR')
  t.equal(tooLow.errorResult?.result.type, 'txInsufficientFee')
  t.equal(tooLow.errorResult?.feeCharged, 4_000n, 'what would be enough is named')
  const bumped = bump(stuck, 2_000)
  const before = (await server.getAccountEntry(payer.address)).balance
  t.equal((await server.sendTransaction(bumped)).status, 'PENDING')
  t.equal((await server.sendTransaction(bumped)).status, 'DUPLICATE')
  t.equal((await server.sendTransaction(stuck)).status, 'DUPLICATE', 'it waits inside the bump')
  await net.close()

  for (const hash of [hashOf(bumped), hashOf(stuck)]) {
    const found = await server.getTransaction(hash)
    if (found.status !== rpc.Api.GetTransactionStatus.SUCCESS) throw new Error(`${hash} is ${found.status}`)
    t.equal(found.feeBump, true)
    t.equal(found.resultXdr.result.type, 'txFeeBumpInnerSuccess')
    t.equal(found.resultXdr.feeCharged, 4_000n)
  }
  t.equal(await status(hashOf(rival)), 'NOT_FOUND')
  // It received one XLM and paid for two operations.
  t.equal((await server.getAccountEntry(payer.address)).balance, before + 10_000_000n - 4_000n)
  const again = await server.sendTransaction(stuck)
  t.equal(again.errorResult?.result.type, 'txBadSeq', 'the inner sequence number is used')
  await net.admin('DELETE', 'limits')
  await net.close()
  t.equal(await status(hashOf(rival)), 'SUCCESS')
})

await t.test('a full pool keeps the best bids and says what would be enough', async t => {
  await net.admin('POST', 'limits', { operations: 1, poolLedgers: 2 })
  const first = [await payment(alice, 300), await payment(bob, 500)]
  for (const one of first) t.equal((await server.sendTransaction(one)).status, 'PENDING')
  const low = await payment(carol, 300)
  const refused = await server.sendTransaction(low)
  t.equal(refused.errorResult?.result.type, 'txInsufficientFee')
  t.equal(refused.errorResult?.feeCharged, 301n)
  t.equal((await server.sendTransaction(low)).status, 'TRY_AGAIN_LATER', 'it is kept out for a while')
  const better = await payment(dave, 301)
  t.equal((await server.sendTransaction(better)).status, 'PENDING')
  t.equal((await server.sendTransaction(first[0]!)).status, 'TRY_AGAIN_LATER', 'it was outbid')
  await net.close()
  await net.close()
  t.same(await Promise.all([...first, better].map(one => status(hashOf(one)))), ['NOT_FOUND', 'SUCCESS', 'SUCCESS'])
  await net.admin('DELETE', 'limits')
})

await t.test('what ledgers pass by is dropped', async t => {
  await net.admin('POST', 'limits', { operations: 0, waitingLedgers: 2 })
  const passed = await payment(erin, 100)
  t.equal((await server.sendTransaction(passed)).status, 'PENDING')
  await net.close()
  t.match(await net.admin('GET', 'limits'), { waiting: 1 })
  await net.close()
  t.match(await net.admin('DELETE', 'limits'), { waiting: 0, operations: 1_000 })
  t.equal((await server.sendTransaction(passed)).status, 'TRY_AGAIN_LATER')
  await net.close()
  t.equal(await status(hashOf(passed)), 'NOT_FOUND')
  // Its sequence number is free: another form of it enters.
  const other = await payment(erin, 101)
  await server.sendTransaction(other)
  await net.close()
  t.equal(await status(hashOf(other)), 'SUCCESS')
})

await t.test('a crash in a surge loses nothing that was included', async t => {
  await net.admin('POST', 'limits', { operations: 2 })
  const [inner, left] = [await payment(alice, 100), await payment(bob, 400)]
  const bumped = bump(inner, 5_000)
  for (const one of [left, bumped]) t.equal((await server.sendTransaction(one)).status, 'PENDING')
  await net.close()
  const entries = await Promise.all(people.map(one => server.getAccountEntry(one.address)))
  const stats = (await server.getFeeStats()).inclusionFee
  await net.kill()

  net = await startLocalnet({ ledgerTime: 'manual', state: net.state })
  server = new rpc.Server(net.url, { allowHttp: true })
  for (const hash of [hashOf(bumped), hashOf(inner)]) t.equal(await status(hash), 'SUCCESS')
  t.same(await Promise.all(people.map(one => server.getAccountEntry(one.address))), entries)
  t.same((await server.getFeeStats()).inclusionFee, stats)
  t.match(await net.admin('GET', 'limits'), { operations: 1_000, waiting: 0 }, 'limits belong to the process')
  // What only waited is gone, as from the memory of any node, and is sent again.
  await net.close()
  t.equal(await status(hashOf(left)), 'NOT_FOUND')
  t.equal((await server.sendTransaction(left)).status, 'PENDING')
  await net.close()
  t.equal(await status(hashOf(left)), 'SUCCESS')
})

await t.test('the admin interface', async t => {
  await t.rejects(net.admin('POST', 'limits', { operation: 1 }), /400 .*there is no limit/)
  await t.rejects(net.admin('POST', 'limits', { operations: -1 }), /400 .*must be a whole number/)
  const page = await fetch(`${net.url}/admin/close`, { method: 'POST', headers: { origin: 'https://example.org' } })
  t.equal(page.status, 403)
  const closed = await startLocalnet()
  t.teardown(() => closed.stop())
  for (const path of ['close', 'limits']) {
    await t.rejects(closed.admin('POST', path, {}), /^404/)
  }
  await new rpc.Server(closed.url, { allowHttp: true }).requestAirdrop(Keypair.random().publicKey())
})
