// Faults on demand: each kind does what it says to the SDK's client, as often as it is told to and no more.

import t, { type Test } from 'tap'
import { Account, Address, Asset, Contract, Keypair, nativeToScVal, Operation, rpc, scValToNative, TransactionBuilder, xdr, type Transaction } from '@stellar/stellar-sdk'
import { startLocalnet } from './process.ts'
import { Wallet } from './wallet.ts'

const net = await startLocalnet({ ledgerTime: 'manual' })
t.teardown(() => net.stop())
const server = new rpc.Server(net.url, { allowHttp: true })
const [alice, bob, carol] = [new Wallet(net), new Wallet(net), new Wallet(net)]
await Promise.all([alice, bob, carol].map(one => one.fund()))
const { FAILED, NOT_FOUND, SUCCESS } = rpc.Api.GetTransactionStatus

const hashOf = (transaction: Transaction): string => Buffer.from(transaction.hash()).toString('hex')
const status = async (transaction: Transaction): Promise<string> => (await server.getTransaction(hashOf(transaction))).status

async function payment(from: Wallet, amount = '1'): Promise<Transaction> {
  const transaction = await from.build(Operation.payment({ destination: carol.address, asset: Asset.native(), amount }))
  transaction.sign(from.keys)
  return transaction
}

/** Sets a fault for as long as the test lasts. */
async function fault(t: Test, stated: Record<string, unknown>): Promise<number> {
  const { id } = await net.admin('POST', 'faults', stated)
  t.teardown(() => net.admin('DELETE', 'faults'))
  return id as number
}

await t.test('an answer that comes late', async t => {
  await fault(t, { fault: 'delay', ms: 300, methods: ['getHealth'], count: 1 })
  const asked = performance.now()
  await server.getNetwork()
  const answered = server.getHealth()
  t.equal((await answered).status, 'healthy')
  t.ok(performance.now() - asked >= 299, 'it was held back')
  t.match(await net.admin('GET', 'faults'), { faults: [{ fault: 'delay', struck: 1, count: 1 }] })
})

await t.test('a request that is lost, and an answer that is', async t => {
  const lost = await payment(alice)
  const id = await fault(t, { fault: 'drop', methods: ['sendTransaction'] })
  await t.rejects(server.sendTransaction(lost), 'the connection is cut')
  t.equal((await server.getHealth()).status, 'healthy', 'other methods go on')
  await net.close()
  t.equal(await status(lost), 'NOT_FOUND')
  t.same(await net.admin('DELETE', `faults/${id}`), { faults: [] })

  await fault(t, { fault: 'lose', methods: ['sendTransaction'], count: 1 })
  await t.rejects(server.sendTransaction(lost))
  t.equal((await server.sendTransaction(lost)).status, 'DUPLICATE', 'it had arrived')
  await net.close()
  t.equal(await status(lost), 'SUCCESS')
})

await t.test('a submission that times out after it was included', async t => {
  await fault(t, { fault: 'timeOut', ms: 500, count: 1 })
  const sent = await payment(alice)
  const answer = server.sendTransaction(sent).then(() => 'answered', () => 'cut')
  while ((await net.admin('GET', 'limits')).waiting === 0) await new Promise(resume => setTimeout(resume, 10))
  await net.close()
  t.equal(await status(sent), 'SUCCESS')
  t.equal(await answer, 'cut')
})

await t.test('a submission that arrives twice', async t => {
  await fault(t, { fault: 'duplicate', methods: ['sendTransaction'], count: 1 })
  const sent = await payment(alice)
  const before = await server.getAccountEntry(carol.address)
  t.equal((await server.sendTransaction(sent)).status, 'DUPLICATE')
  await net.close()
  t.equal((await server.getAccountEntry(carol.address)).balance - before.balance, 10_000_000n, 'it is applied once')
})

await t.test('an order that is not that of arrival', async t => {
  await fault(t, { fault: 'reorder', count: 1 })
  const places = async (): Promise<number[]> => {
    const sent = [await payment(alice), await payment(bob)]
    for (const one of sent) t.equal((await server.sendTransaction(one)).status, 'PENDING')
    await net.close()
    const found = await Promise.all(sent.map(one => server.getTransaction(hashOf(one))))
    return found.map(one => (one.status === NOT_FOUND ? 0 : one.applicationOrder))
  }
  t.same(await places(), [2, 1])
  t.same(await places(), [1, 2])
})

await t.test('lies about a status', async t => {
  const [included, failed, unsent] = [await payment(alice), await payment(bob, '1000000'), await payment(carol)]
  for (const one of [included, failed]) await server.sendTransaction(one)
  await net.close()
  t.same([await status(included), await status(failed)], ['SUCCESS', 'FAILED'])

  await fault(t, { fault: 'lie', about: 'status', says: 'NOT_FOUND', count: 1 })
  t.equal(await status(included), 'NOT_FOUND')
  t.equal(await status(included), 'SUCCESS', 'once')

  await fault(t, { fault: 'lie', about: 'status', says: 'SUCCESS', count: 2 })
  const pretended = await server.getTransaction(hashOf(failed))
  t.equal(pretended.status === SUCCESS && pretended.resultXdr.result.type, 'txSuccess')
  t.equal(await status(unsent), 'NOT_FOUND', 'of what was never sent nothing can be said')

  await fault(t, { fault: 'lie', about: 'status', says: 'FAILED', count: 1 })
  const denied = await server.getTransaction(hashOf(included))
  t.equal(denied.status === FAILED && denied.resultXdr.result.type, 'txFailed')

  // Said to wait, and thrown away.
  await fault(t, { fault: 'lie', about: 'status', says: 'PENDING', count: 1 })
  t.equal((await server.sendTransaction(unsent)).status, 'PENDING')
  await net.close()
  t.equal(await status(unsent), 'NOT_FOUND')
  await fault(t, { fault: 'lie', about: 'status', says: 'SUCCESS', count: 1 })
  const invented = await server.getTransaction(hashOf(unsent))
  t.equal(invented.status === SUCCESS && invented.resultXdr.result.type, 'txSuccess', 'it is in no ledger')

  // Taken in, and said not to be.
  for (const says of ['TRY_AGAIN_LATER', 'ERROR']) {
    await fault(t, { fault: 'lie', about: 'status', says, count: 1 })
    const sent = await payment(bob)
    t.equal((await server.sendTransaction(sent)).status, says)
    await net.close()
    t.equal(await status(sent), 'SUCCESS')
  }
})

const usd = new Asset('USD', alice.address)
const sac = new Contract(usd.contractId(net.passphrase))

await t.test('lies about balances, entries and results', async t => {
  const deploy = await server.prepareTransaction(await alice.build(Operation.createStellarAssetContract({ asset: usd })))
  deploy.sign(alice.keys)
  await server.sendTransaction(deploy)
  await net.close()
  t.equal(await status(deploy), 'SUCCESS')

  const truth = await server.getAccountEntry(bob.address)
  await fault(t, { fault: 'lie', about: 'balance', by: '-5', count: 1 })
  t.equal((await server.getAccountEntry(bob.address)).balance, truth.balance - 5n)
  t.equal((await server.getAccountEntry(bob.address)).balance, truth.balance)

  const key = xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: Keypair.fromPublicKey(bob.address).xdrAccountId() }))
  await fault(t, { fault: 'lie', about: 'entry', key: key.toXdr('base64') })
  await t.rejects(server.getAccountEntry(bob.address), 'there is none, it says')
  t.equal((await server.getAccountEntry(alice.address)).accountId.type, 'publicKeyTypeEd25519', 'others are there')
  await net.admin('DELETE', 'faults')

  const balance = async (): Promise<unknown> => {
    const source = new Account(alice.address, '0')
    const call = new TransactionBuilder(source, { fee: '100', networkPassphrase: net.passphrase })
      .addOperation(sac.call('decimals'))
      .setTimeout(60)
      .build()
    const simulated = await server.simulateTransaction(call)
    if (!rpc.Api.isSimulationSuccess(simulated)) throw new Error('the simulation failed')
    return scValToNative(simulated.result!.retval)
  }
  t.equal(await balance(), 7)
  await fault(t, { fault: 'lie', about: 'result', xdr: nativeToScVal(9, { type: 'u32' }).toXdr('base64'), count: 1 })
  t.equal(await balance(), 9)
})

await t.test('lies about events and ledgers', async t => {
  const filters: rpc.Api.EventFilter[] = [{ type: 'contract', contractIds: [sac.contractId()] }]
  const startLedger = (await server.getLatestLedger()).sequence
  const mint = await server.prepareTransaction(await alice.build(sac.call('transfer', new Address(alice.address).toScVal(), new Address(sac.contractId()).toScVal(), nativeToScVal(5n, { type: 'i128' }))))
  mint.sign(alice.keys)
  await server.sendTransaction(mint)
  await net.close()
  t.equal(await status(mint), 'SUCCESS')
  const events = async (): Promise<rpc.Api.EventResponse[]> => (await server.getEvents({ startLedger, filters })).events
  const amountOf = (one: rpc.Api.EventResponse): unknown => scValToNative(one.value)
  const [event] = await events()
  t.equal(amountOf(event!), 5n)

  await fault(t, { fault: 'lie', about: 'events', says: 'none', count: 1 })
  t.equal((await events()).length, 0)
  await fault(t, { fault: 'lie', about: 'events', xdr: nativeToScVal(6n, { type: 'i128' }).toXdr('base64'), count: 1 })
  t.same((await events()).map(amountOf), [6n])
  const invented = { contractId: sac.contractId(), value: nativeToScVal(7n, { type: 'i128' }).toXdr('base64') }
  await fault(t, { fault: 'lie', about: 'events', event: invented, count: 1 })
  t.same((await events()).map(amountOf), [5n, 7n])
  await fault(t, { fault: 'duplicate', methods: ['getEvents'], count: 1 })
  t.same((await events()).map(one => one.id), [event!.id, event!.id])
  t.same((await events()).map(one => one.id), [event!.id])

  const { sequence } = await server.getLatestLedger()
  await fault(t, { fault: 'lie', about: 'ledger', by: -1, methods: ['getLatestLedger'] })
  const behind = await server.getLatestLedger()
  t.equal(behind.sequence, sequence - 1)
  t.equal(behind.headerXdr.ledgerSeq, sequence, 'the header tells')
})

await t.test('how often', async t => {
  const dropped = async (stated: Record<string, unknown>, asked: number): Promise<boolean[]> => {
    await fault(t, { fault: 'drop', methods: ['getHealth'], ...stated })
    const outcomes = []
    for (let n = 0; n < asked; n++) outcomes.push(await server.getHealth().then(() => false, () => true))
    await net.admin('DELETE', 'faults')
    return outcomes
  }
  t.same(await dropped({ skip: 1, count: 2 }, 5), [false, true, true, false, false])
  const some = await dropped({ probability: 0.5, seed: 3 }, 20)
  t.ok(some.includes(true) && some.includes(false))
  t.same(await dropped({ probability: 0.5, seed: 3 }, 20), some, 'the seed decides')
})

await t.test('what cannot be followed', async t => {
  await t.rejects(net.admin('POST', 'faults', { fault: 'explode' }), /400/)
  await t.rejects(net.admin('POST', 'faults', { fault: 'drop', methods: ['nothing'] }), /there is no method/)
  await t.rejects(net.admin('DELETE', 'faults/99'), /there is no fault 99/)
  for (let n = 0; n < 100; n++) await net.admin('POST', 'faults', { fault: 'drop', count: 0 })
  await t.rejects(net.admin('POST', 'faults', { fault: 'drop' }), /100 faults are set/)
  t.same(await net.admin('DELETE', 'faults'), { faults: [] })

  const closed = await startLocalnet()
  t.teardown(() => closed.stop())
  for (const [method, path] of [['GET', 'faults'], ['POST', 'faults'], ['DELETE', 'faults'], ['DELETE', 'faults/1'], ['POST', 'jump']] as const) {
    await t.rejects(closed.admin(method, path, method === 'POST' ? { fault: 'drop' } : undefined), /^404/)
  }
  t.equal((await new rpc.Server(closed.url, { allowHttp: true }).getHealth()).status, 'healthy')
})
