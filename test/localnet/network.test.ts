// The SDK's rpc.Server, as it is published, against a localnet: everything the venue does.

import t from 'tap'
import {
  Address, Asset, Contract, Keypair, nativeToScVal, Operation, rpc, StrKey, TransactionBuilder, type xdr
} from '@stellar/stellar-sdk'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { startLocalnet } from './process.ts'
import { Wallet } from './wallet.ts'

const net = await startLocalnet({ ledgerTime: 0.1 })
t.teardown(() => net.stop())

const { SUCCESS } = rpc.Api.GetTransactionStatus
const server = new rpc.Server(net.url, { allowHttp: true })
const [alice, bob, issuer] = [new Wallet(net), new Wallet(net), new Wallet(net)]
const usd = new Asset('USD', issuer.address)
const sac = new Contract(usd.contractId(net.passphrase))
const stroops = (amount: bigint): xdr.ScVal => nativeToScVal(amount, { type: 'i128' })
const transfer = (from: string, to: string, amount: bigint): xdr.Operation =>
  sac.call('transfer', new Address(from).toScVal(), new Address(to).toScVal(), stroops(amount))

await t.test('describes itself', async t => {
  const health = await server.getHealth()
  t.equal(health.status, 'healthy')
  t.equal(health.oldestLedger, 1)
  const network = await server.getNetwork()
  t.match(network, { passphrase: net.passphrase, protocolVersion: 27, friendbotUrl: `${net.url}/friendbot` })
  t.match(await server.getVersionInfo(), { protocolVersion: 27 })
  t.match(await server.getFeeStats(), { inclusionFee: { max: String }, latestLedger: Number })
  const latest = await server.getLatestLedger()
  t.equal(latest.headerXdr.ledgerSeq, latest.sequence)
  t.equal(latest.metadataXdr.type, 'v2')
})

await t.test('friendbot', async t => {
  await Promise.all([alice, bob, issuer].map(wallet => wallet.fund()))
  const entry = await server.getAccountEntry(alice.address)
  t.equal(entry.balance, 100_000_000_000n)
  // The SDK falls back to reading the account when friendbot says that it exists.
  await alice.fund()
  const again = await fetch(`${net.url}/friendbot?addr=${alice.address}`)
  t.equal(again.status, 400)
  t.match(await again.json(), { detail: /createAccountAlreadyExist/ })
  t.equal((await fetch(`${net.url}/friendbot?addr=nonsense`)).status, 400)

  const many = Array.from({ length: 250 }, () => Keypair.random().publicKey())
  await Promise.all(many.map(address => server.requestAirdrop(address)))
  t.equal((await server.getAccountEntry(many[249] ?? '')).balance, 100_000_000_000n)
})

await t.test('classic operations', async t => {
  const carol = Keypair.random()
  const created = await alice.do(
    Operation.createAccount({ destination: carol.publicKey(), startingBalance: '10' }),
    Operation.payment({ destination: bob.address, asset: Asset.native(), amount: '3' }),
    Operation.manageData({ name: 'colour', value: 'green' })
  )
  t.equal(created.status, 'SUCCESS')
  t.equal(created.resultXdr.feeCharged, 300n)
  t.equal((await server.getAccountEntry(carol.publicKey())).balance, 100_000_000n)

  await issuer.do(Operation.setOptions({ setFlags: 3 }))
  for (const holder of [alice, bob]) {
    t.equal((await holder.do(Operation.changeTrust({ asset: usd }))).status, 'SUCCESS')
    const authorized = await issuer.do(
      Operation.setTrustLineFlags({ trustor: holder.address, asset: usd, flags: { authorized: true } })
    )
    t.equal(authorized.status, 'SUCCESS')
  }
  await issuer.do(Operation.payment({ destination: alice.address, asset: usd, amount: '1000' }))
  const balance = await server.getAssetBalance(alice.address, usd)
  t.match(balance.balanceEntry, { amount: '10000000000', authorized: true, clawback: false })
})

await t.test("an asset's contract", async t => {
  const deployed = await issuer.invoke(Operation.createStellarAssetContract({ asset: usd }))
  t.equal(deployed.status, 'SUCCESS')
  t.equal(deployed.status === SUCCESS && Address.fromScVal(deployed.returnValue!).toString(), sac.contractId())

  const moved = await alice.invoke(transfer(alice.address, bob.address, 25_000_000n))
  t.equal(moved.status, 'SUCCESS')
  t.equal(moved.events.contractEventsXdr[0]?.length, 1)
  t.equal((await server.getAssetBalance(bob.address, usd)).balanceEntry?.amount, '25000000')

  // A transfer that somebody else submits carries the owner's signed authorisation.
  const draft = await bob.build(transfer(alice.address, bob.address, 5_000_000n))
  const simulated = await server.simulateTransaction(draft)
  if (!rpc.Api.isSimulationSuccess(simulated)) throw new Error('the simulation failed')
  t.equal(simulated.result?.auth[0]?.credentials.type, 'sorobanCredentialsAddressV2')
})

await t.test('refusals', async t => {
  const stale = await alice.build(Operation.bumpSequence({ bumpTo: '0' }))
  await alice.do(Operation.bumpSequence({ bumpTo: '0' }))
  stale.sign(alice.keys)
  const refused = await server.sendTransaction(stale)
  t.equal(refused.status, 'ERROR')
  t.equal(refused.errorResult?.result.type, 'txBadSeq')

  const unsigned = await alice.build(Operation.bumpSequence({ bumpTo: '0' }))
  t.equal((await server.sendTransaction(unsigned)).errorResult?.result.type, 'txBadAuth')

  const waiting = await alice.build(Operation.bumpSequence({ bumpTo: '0' }))
  waiting.sign(alice.keys)
  const [first, second] = [await server.sendTransaction(waiting), await server.sendTransaction(waiting)]
  t.equal(first.status, 'PENDING')
  t.ok(['DUPLICATE', 'ERROR'].includes(second.status), second.status)
  await server.pollTransaction(first.hash, { attempts: 100, sleepStrategy: () => 50 })

  const failed = await alice.do(Operation.payment({ destination: bob.address, asset: usd, amount: '5000' }))
  t.equal(failed.status, 'FAILED')
  t.equal(failed.resultXdr.result.type, 'txFailed')

  const overdrawn = await alice.build(transfer(alice.address, bob.address, 10n ** 15n))
  const simulation = await server.simulateTransaction(overdrawn)
  if (!rpc.Api.isSimulationError(simulation)) throw new Error('the simulation did not fail')
  t.match(simulation.error, /HostError: Error\(Contract, #10\)/)
  t.match(simulation.error, /Event log \(newest first\)/)
  t.ok(simulation.events.length > 0)
  await t.rejects(server.prepareTransaction(overdrawn), /HostError/)
})

await t.test('a fee bump is known by both hashes', async t => {
  const inner = await alice.build(Operation.payment({ destination: bob.address, asset: Asset.native(), amount: '1' }))
  inner.sign(alice.keys)
  const bump = TransactionBuilder.buildFeeBumpTransaction(bob.keys, '400', inner, net.passphrase)
  bump.sign(bob.keys)
  const sent = await server.sendTransaction(bump)
  t.equal(sent.status, 'PENDING')
  const outer = await server.pollTransaction(sent.hash, { attempts: 100, sleepStrategy: () => 50 })
  t.match(outer, { status: 'SUCCESS', feeBump: true })
  t.equal((await server.getTransaction(Buffer.from(inner.hash()).toString('hex'))).status, 'SUCCESS')
})

await t.test('events', async t => {
  const filter = (topics: string[][]): rpc.Api.EventFilter =>
    ({ type: 'contract', contractIds: [sac.contractId()], topics })
  const events = async (topics: string[][]): Promise<rpc.Api.GetEventsResponse> =>
    await server.getEvents({ startLedger: 1, filters: [filter(topics)] })
  const word = nativeToScVal('transfer', { type: 'symbol' }).toXdr('base64')
  const to = new Address(bob.address).toScVal().toXdr('base64')

  const found = await events([[word, '*', to, '*']])
  t.equal(found.events.length, 1)
  const event = found.events[0]!
  t.match(event, { type: 'contract', operationIndex: 0, inSuccessfulContractCall: true })
  t.equal(event.contractId?.contractId(), sac.contractId())
  t.match(event.ledgerClosedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  t.equal((await events([[word, '**']])).events.length, 1)
  t.equal((await events([['**']])).events.length, 1)
  t.equal((await events([[word, '*']])).events.length, 0, 'the number of topics counts')
  t.equal((await events([[to, '**']])).events.length, 0)

  await alice.invoke(transfer(alice.address, bob.address, 1n))
  const one = await server.getEvents({ startLedger: 1, filters: [filter([])], limit: 1 })
  const two = await server.getEvents({ cursor: one.cursor, filters: [filter([])], limit: 1 })
  t.equal(one.events[0]?.id, event.id)
  t.not(two.events[0]?.id, event.id)
  const rest = await server.getEvents({ cursor: two.cursor, filters: [filter([])] })
  t.equal(rest.events.length, 0)
  t.ok(rest.cursor > two.cursor, 'the cursor moves on though nothing was found')

  const code = async (request: Promise<unknown>): Promise<unknown> =>
    await request.then(() => 'no error', (error: { code?: unknown }) => error.code)
  t.equal(await code(server.getEvents({ startLedger: 1_000_000, filters: [] })), -32600)
  t.equal(await code(server.getEvents({ startLedger: 1, filters: [], limit: 10_001 })), -32602)
  t.equal(await code(server.getEvents({ startLedger: 2, endLedger: 1, filters: [] })), -32602)
  t.equal(await code(server.getTransaction('abc')), -32602)
  t.equal(await code(server.getLedgers({ startLedger: 1_000_000 })), -32600)
})

const wasm = resolve(import.meta.dirname, '../../contract/target/wasm32v1-none/release/vault.wasm')
await t.test('a contract of our own', { skip: existsSync(wasm) ? false : 'the vault is not built' }, async t => {
  const uploaded = await issuer.invoke(Operation.uploadContractWasm({ wasm: await readFile(wasm) }))
  if (uploaded.status !== SUCCESS) throw new Error('the upload failed')
  const deployed = await issuer.invoke(Operation.createCustomContract({
    address: new Address(issuer.address),
    wasmHash: (uploaded.returnValue as { bytes: { value: Uint8Array } }).bytes.value,
    constructorArgs: [new Address(issuer.address).toScVal()]
  }))
  if (deployed.status !== SUCCESS) throw new Error('the deployment failed')
  const address = Address.fromScVal(deployed.returnValue!).toString()
  t.ok(StrKey.isValidContract(address))
  t.equal((await server.getContractWasmByContractId(address)).length, (await readFile(wasm)).length)
})

await t.test('many at once', async t => {
  const people = Array.from({ length: 40 }, () => new Wallet(net))
  await Promise.all(people.map(one => one.fund()))
  const results = await Promise.all(people.map(one =>
    one.do(Operation.payment({ destination: bob.address, asset: Asset.native(), amount: '1' }))))
  t.ok(results.every(result => result.status === SUCCESS))
})
