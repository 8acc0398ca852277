// Ledgers and transactions in pages, headers that link, jumps, the archive, and accounts with several names and signers.

import t from 'tap'
import { Account, Address, Asset, Contract, hash, Keypair, MuxedAccount, nativeToScVal, Operation, rpc, SorobanDataBuilder, TransactionBuilder, xdr, type Transaction } from '@stellar/stellar-sdk'
import { randomBytes } from 'node:crypto'
import { startLocalnet } from './process.ts'
import { Wallet } from './wallet.ts'

let net = await startLocalnet({ ledgerTime: 'manual', state: t.testdir() })
t.teardown(() => net.stop())
let server = new rpc.Server(net.url, { allowHttp: true })
const [alice, bob, carol] = [new Wallet(net), new Wallet(net), new Wallet(net)]
await Promise.all([alice, bob, carol].map(one => one.fund()))
const { SUCCESS } = rpc.Api.GetTransactionStatus

const pay = (destination: string, amount = '1'): xdr.Operation => Operation.payment({ destination, asset: Asset.native(), amount })

/** Sends, closes a ledger, and says what became of it. */
async function include(transaction: Transaction): Promise<rpc.Api.GetTransactionResponse> {
  const sent = await server.sendTransaction(transaction)
  if (sent.status !== 'PENDING') throw new Error(`${sent.status}: ${sent.errorResult?.result.type ?? ''}`)
  await net.close()
  return await server.getTransaction(sent.hash)
}

async function signed(from: Wallet, ...operations: xdr.Operation[]): Promise<Transaction> {
  const transaction = await from.build(...operations)
  transaction.sign(from.keys)
  return transaction
}

const sha256 = (bytes: Uint8Array): string => Buffer.from(hash(Buffer.from(bytes))).toString('hex')
const hex = (bytes: Uint8Array | { value: Uint8Array }): string => Buffer.from(bytes instanceof Uint8Array ? bytes : bytes.value).toString('hex')

await t.test('ledgers link, hash, and commit to what is in them', async t => {
  for (const from of [alice, bob]) await server.sendTransaction(await signed(from, pay(carol.address)))
  await net.close()
  await net.close()
  const latest = (await server.getLatestLedger()).sequence
  const { ledgers, cursor, ...kept } = await server.getLedgers({ startLedger: 1, pagination: { limit: 200 } })
  t.match(kept, { latestLedger: latest, oldestLedger: 1, latestLedgerCloseTime: Number, oldestLedgerCloseTime: Number })
  t.same(ledgers.map(one => one.sequence), Array.from({ length: latest }, (_, at) => at + 1))
  t.equal(cursor, String(latest))
  for (const [at, ledger] of ledgers.entries()) {
    const { header } = ledger.headerXdr
    t.equal(hex(ledger.headerXdr.hash), ledger.hash)
    t.equal(sha256(header.toXdr()), ledger.hash)
    t.equal(header.ledgerSeq, ledger.sequence)
    const before = ledgers[at - 1]
    if (before === undefined) continue
    t.equal(hex(header.previousLedgerHash), before.hash)
    if (ledger.metadataXdr.type !== 'v2') throw new Error('the metadata is of another form')
    const meta = ledger.metadataXdr.value
    t.equal(hex(header.scpValue.txSetHash), sha256(meta.txSet.toXdr()))
    const results = new xdr.TransactionResultSet({ results: meta.txProcessing.map(one => one.result) })
    t.equal(hex(header.txSetResultHash), sha256(results.toXdr()))
  }

  const first = await server.getLedgers({ startLedger: 1, pagination: { limit: 2 } })
  const second = await server.getLedgers({ pagination: { cursor: first.cursor, limit: 2 } })
  t.same([...first.ledgers, ...second.ledgers].map(one => one.sequence), [1, 2, 3, 4].slice(0, latest))
  const end = await server.getLedgers({ pagination: { cursor } })
  t.same([end.ledgers, end.cursor], [[], cursor])
})

await t.test('transactions in pages', async t => {
  const { latestLedger } = await server.getHealth()
  const whole = await server.getTransactions({ startLedger: 1 })
  t.match(whole, { latestLedger, oldestLedger: 1, latestLedgerCloseTimestamp: Number })
  t.ok(whole.transactions.length >= 3)
  for (const one of whole.transactions) {
    const alone = await server.getTransaction(one.txHash)
    t.equal(one.status, SUCCESS)
    t.equal(alone.status === SUCCESS && alone.ledger, one.ledger)
    t.type(one.createdAt, 'number')
    t.equal(hex(one.resultXdr.toXdr()), alone.status === SUCCESS && hex(alone.resultXdr.toXdr()))
  }
  const paged: string[] = []
  let page = await server.getTransactions({ startLedger: 1, pagination: { limit: 1 } })
  while (page.transactions.length > 0) {
    paged.push(...page.transactions.map(one => one.txHash))
    page = await server.getTransactions({ pagination: { cursor: page.cursor, limit: 1 } })
  }
  t.same(paged, whole.transactions.map(one => one.txHash))

  const code = async (request: Promise<unknown>): Promise<unknown> =>
    await request.then(() => 'no error', (error: { code?: unknown }) => error.code)
  for (const ask of [
    (request: unknown) => server.getLedgers(request as rpc.Api.GetLedgersRequest),
    (request: unknown) => server.getTransactions(request as rpc.Api.GetTransactionsRequest)
  ]) {
    t.equal(await code(ask({ startLedger: latestLedger + 1 })), -32600)
    t.equal(await code(ask({ startLedger: 0 })), -32602)
    t.equal(await code(ask({})), -32602)
    t.equal(await code(ask({ startLedger: 1, pagination: { limit: 201 } })), -32602)
    t.equal(await code(ask({ startLedger: 1, pagination: { cursor: '5' } })), -32602)
    t.equal(await code(ask({ pagination: { cursor: 'x' } })), -32602)
  }
})

await t.test('muxed accounts', async t => {
  const [from, to] = [new MuxedAccount(new Account(alice.address, '0'), '7'), new MuxedAccount(new Account(bob.address, '0'), '8')]
  const source = await server.getAccount(alice.address)
  const builder = (account: Account | MuxedAccount): TransactionBuilder =>
    new TransactionBuilder(account, { fee: '100', networkPassphrase: net.passphrase })
  const before = (await server.getAccountEntry(bob.address)).balance
  const muxed = builder(new MuxedAccount(new Account(alice.address, source.sequenceNumber()), '7'))
    .addOperation(pay(to.accountId(), '3'))
    .addOperation(Operation.payment({ destination: to.accountId(), asset: Asset.native(), amount: '2', source: from.accountId() }))
    .setTimeout(60)
    .build()
  muxed.sign(alice.keys)
  t.equal((await include(muxed)).status, 'SUCCESS')
  t.equal((await server.getAccountEntry(bob.address)).balance - before, 50_000_000n)
  // A fee bump may be paid by one, too.
  const inner = await signed(alice, pay(bob.address))
  const bump = TransactionBuilder.buildFeeBumpTransaction(to.accountId(), '200', inner, net.passphrase)
  bump.sign(bob.keys)
  const sent = await server.sendTransaction(bump)
  await net.close()
  t.match(await server.getTransaction(sent.hash), { status: 'SUCCESS', feeBump: true })

  // A contract invocation takes none.
  const sac = new Contract(Asset.native().contractId(net.passphrase))
  const deploy = await server.prepareTransaction(await alice.build(Operation.createStellarAssetContract({ asset: Asset.native() })))
  deploy.sign(alice.keys)
  t.equal((await include(deploy)).status, 'SUCCESS')
  const call = sac.call('transfer', new Address(alice.address).toScVal(), new Address(bob.address).toScVal(), nativeToScVal(1n, { type: 'i128' }))
  const plain = await server.prepareTransaction(await alice.build(call))
  const { sequenceNumber } = { sequenceNumber: (await server.getAccount(alice.address)).sequenceNumber() }
  const refused = builder(new MuxedAccount(new Account(alice.address, sequenceNumber), '7')).addOperation(call).setTimeout(60).build()
  t.match(await server.simulateTransaction(refused), { error: /muxed/ })
  const envelope = plain.toEnvelope()
  if (envelope.type !== 'envelopeTypeTx') throw new Error('not a transaction')
  const forced = TransactionBuilder.cloneFrom(refused, {
    fee: plain.fee,
    sorobanData: new SorobanDataBuilder((envelope.value.tx.ext as { value: xdr.SorobanTransactionData }).value).build()
  }).build()
  forced.sign(alice.keys)
  const answer = await server.sendTransaction(forced)
  t.equal(answer.errorResult?.result.type, 'txSorobanInvalid')
})

await t.test('signers with weights and thresholds', async t => {
  const [first, second] = [Keypair.random(), Keypair.random()]
  const secret = randomBytes(32)
  const options = await signed(
    carol,
    Operation.setOptions({ signer: { ed25519PublicKey: first.publicKey(), weight: 1 } }),
    Operation.setOptions({ signer: { ed25519PublicKey: second.publicKey(), weight: 1 } }),
    Operation.setOptions({ signer: { sha256Hash: hash(secret), weight: 2 } }),
    Operation.setOptions({ masterWeight: 1, lowThreshold: 1, medThreshold: 2, highThreshold: 3 })
  )
  t.equal((await include(options)).status, 'SUCCESS')
  const attempt = async (sign: (transaction: Transaction) => void, operation = pay(bob.address)): Promise<string> => {
    const transaction = await carol.build(operation)
    sign(transaction)
    const sent = await server.sendTransaction(transaction)
    if (sent.status !== 'PENDING') {
      const { result } = sent.errorResult!
      return result.type === 'txFailed' ? result.value[0]!.type : result.type
    }
    await net.close()
    return (await server.getTransaction(sent.hash)).status
  }
  const by = (...keys: Keypair[]) => (transaction: Transaction): void => transaction.sign(...keys)
  const higher = Operation.setOptions({ highThreshold: 4 })
  t.equal(await attempt(by(carol.keys)), 'opBadAuth')
  t.equal(await attempt(by(first)), 'opBadAuth')
  t.equal(await attempt(by(first, second)), 'SUCCESS', 'without the master key')
  t.equal(await attempt(by(carol.keys, second)), 'SUCCESS')
  t.equal(await attempt(by(first, second, carol.keys)), 'txBadAuthExtra', 'one more than is needed')
  t.equal(await attempt(transaction => transaction.signHashX(secret)), 'SUCCESS', 'by the secret behind a hash')
  t.equal(await attempt(by(first, second), higher), 'opBadAuth', 'the high threshold')
  t.equal(await attempt(by(first, second, carol.keys), higher), 'SUCCESS')
  t.equal(await attempt(by(Keypair.random())), 'txBadAuth')

  // A transaction that is agreed on beforehand needs no signature, once.
  const [next, agreed] = await (async () => {
    const account = await server.getAccount(bob.address)
    const build = (operation: xdr.Operation): Transaction =>
      new TransactionBuilder(account, { fee: '100', networkPassphrase: net.passphrase }).addOperation(operation).setTimeout(300).build()
    const later = new TransactionBuilder(new Account(bob.address, String(BigInt(account.sequenceNumber()) + 1n)), { fee: '100', networkPassphrase: net.passphrase })
      .addOperation(pay(alice.address)).setTimeout(300).build()
    return [build(Operation.setOptions({ signer: { preAuthTx: later.hash(), weight: 1 } })), later]
  })()
  next.sign(bob.keys)
  t.equal((await include(next)).status, 'SUCCESS')
  t.equal((await server.getAccountEntry(bob.address)).signers.length, 1)
  t.equal((await include(agreed)).status, 'SUCCESS')
  t.equal((await server.getAccountEntry(bob.address)).signers.length, 0, 'it is spent')
})

await t.test('a jump reaches the archive, and what is there comes back', async t => {
  const usd = new Asset('USD', alice.address)
  const sac = new Contract(usd.contractId(net.passphrase))
  const invoke = async (operation: xdr.Operation): Promise<rpc.Api.GetTransactionResponse> => {
    const transaction = await server.prepareTransaction(await alice.build(operation))
    transaction.sign(alice.keys)
    return await include(transaction)
  }
  t.equal((await invoke(Operation.createStellarAssetContract({ asset: usd }))).status, 'SUCCESS')
  // A contract's balance is an entry of contract data.
  const holder = new Address(sac.contractId())
  const mint = sac.call('mint', holder.toScVal(), nativeToScVal(500n, { type: 'i128' }))
  t.equal((await invoke(mint)).status, 'SUCCESS')
  const key = xdr.LedgerKey.contractData(new xdr.LedgerKeyContractData({
    contract: holder.toScAddress(),
    key: xdr.ScVal.scvVec([xdr.ScVal.scvSymbol('Balance'), holder.toScVal()]),
    durability: xdr.ContractDataDurability.persistent
  }))
  const live = async (): Promise<number> => (await server.getLedgerEntries(key)).entries[0]!.liveUntilLedgerSeq!
  const until = await live()
  const before = await server.getLatestLedger()
  const jumped = await net.admin('POST', 'jump', { ledgers: until - before.sequence + 1, seconds: 120 * 86_400 })
  t.equal(jumped['ledger'], until + 1)
  const after = await server.getLatestLedger()
  t.ok(Number(after.closeTime) >= Number(before.closeTime) + 120 * 86_400)
  t.equal((await server.getHealth()).oldestLedger, until + 1 - 17_279)
  t.equal(await live(), until, 'it lived until the ledger before')

  // Time bounds are checked by the network's clock: the wall clock's are too late.
  const stale = await signed(alice, pay(bob.address))
  t.equal((await server.sendTransaction(stale)).errorResult?.result.type, 'txTooLate')
  const build = async (operation: xdr.Operation): Promise<Transaction> =>
    new TransactionBuilder(await server.getAccount(alice.address), { fee: '100', networkPassphrase: net.passphrase })
      .addOperation(operation)
      .setTimebounds(0, Number(after.closeTime) + 86_400)
      .build()

  // The call that needs it lists it, and restores it with what else it does.
  const draft = await build(mint)
  const simulated = await server.simulateTransaction(draft)
  if (!rpc.Api.isSimulationSuccess(simulated)) throw new Error('the simulation failed')
  const restoring = rpc.assembleTransaction(draft, simulated).build()
  restoring.sign(alice.keys)
  const restored = await include(restoring)
  t.equal(restored.status, 'SUCCESS')
  t.equal(await live(), after.sequence + 1 + 2_073_599)

  // A restart is after the jump, with its clock.
  await net.kill()
  net = await startLocalnet({ ledgerTime: 'manual', state: net.state })
  server = new rpc.Server(net.url, { allowHttp: true })
  t.equal((await server.getLatestLedger()).sequence, after.sequence + 1)
  t.equal(await live(), after.sequence + 1 + 2_073_599)
  await net.close()
  t.ok(Number((await server.getLatestLedger()).closeTime) >= Number(after.closeTime))
  const page = await server.getLedgers({ startLedger: after.sequence - 1 })
  t.same(page.ledgers.map(one => one.sequence), [0, 1, 2, 3].map(n => after.sequence - 1 + n))
  t.same(page.ledgers.slice(1).map(one => hex(one.headerXdr.header.previousLedgerHash)), page.ledgers.slice(0, -1).map(one => one.hash))

  await t.rejects(net.admin('POST', 'jump', { ledgers: 0 }), /400/)
  await t.rejects(net.admin('POST', 'jump', { years: 1 }), /400/)
})
