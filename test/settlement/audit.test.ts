import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Address, AuthClawbackEnabledFlag, AuthRevocableFlag, Contract, Keypair, nativeToScVal, Operation, xdr } from '@stellar/stellar-sdk'
import t from 'tap'
import { auditVault } from '../../src/settlement/audit.ts'
import type { Audit } from '../../src/settlement/audit.ts'
import { execute } from '../../src/settlement/transaction.ts'
import { DeployedVault } from './deployedVault.ts'
import { LocalChain, PASSPHRASE } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'

// What the ledger shows of a vault is added up, on a real network whose token's issuer can take the vault's money back.

const chain = await LocalChain.start('0.2')
t.teardown(() => chain.end())
const vault = await DeployedVault.deploy(chain)
const { admin, issuer, engine, contract, assets } = vault
const by = (key: Keypair, operation: xdr.Operation) => execute(vault.signer(key), operation)
const call = (name: string, ...values: xdr.ScVal[]): xdr.Operation => new Contract(contract.id).call(name, ...values)
const address = (of: string): xdr.ScVal => new Address(of).toScVal()
const change = (name: string, ...values: xdr.ScVal[]): xdr.ScVal => xdr.ScVal.scvVec([xdr.ScVal.scvSymbol(name), ...values])
const audited = (): Promise<Audit> => auditVault(chain.server, contract.id, PASSPHRASE)

async function darkpool(...options: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/darkpool.ts'), 'audit', ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}
const here = ['--rpc', chain.url, '--vault', contract.id]

await by(issuer, Operation.setOptions({ setFlags: (AuthRevocableFlag | AuthClawbackEnabledFlag) }))
const pauser = Keypair.random()
await chain.server.requestAirdrop(pauser.publicKey())
await by(admin, call('apply_change', change('Pauser', address(pauser.publicKey()))))

const traders = [await vault.trader(), await vault.trader(), await vault.trader()] as const
const [alice, bob, carol] = traders

t.test('an empty vault owes nothing', async (t) => {
  t.match(await audited(), { solvent: true, accounts: 0, assets: [{ held: 0n, balances: 0n }, { held: 0n, balances: 0n }], channels: [{ channel: 0, engine: engine.publicKey(), sequence: 0 }], paused: false, announced: [] })
})

t.test('what deposits, trades, requests and gifts leave is what is held', async (t) => {
  await vault.deposit(alice, 0, 700n)
  await vault.deposit(bob, 1, 5_000n)
  await vault.deposit(carol, 1, 11n)
  const rig = new SettlementRig(vault)
  t.teardown(() => rig.end())
  rig.register(...traders)
  rig.start()
  rig.trade(bob, alice, 200n, 1_500n)
  await rig.settled(1)
  await by(carol.key, call('request_withdraw', address(carol.account), address(assets[1].contract), nativeToScVal(10n, { type: 'i128' })))
  await by(carol.key, new Contract(assets[0].contract).call('transfer', address(carol.account), address(contract.id), nativeToScVal(3n, { type: 'i128' })))
  const channel = await contract.getChannel(chain.server, 0)
  t.match(await audited(), {
    vault: contract.id,
    solvent: true,
    accounts: 3,
    assets: [
      { asset: 0, contract: assets[0].contract, held: 703n, balances: 700n, exits: 0n, fees: 0n, surplus: 3n, paused: false },
      { asset: 1, contract: assets[1].contract, held: 5_011n, balances: 5_011n, exits: 10n, fees: 0n, surplus: 0n, paused: false },
    ],
    channels: [{ channel: 0, sequence: 1, tradesRoot: Buffer.from(channel.tradesRoot).toString('hex'), stateRoot: Buffer.from(channel.stateRoot).toString('hex') }],
    admin: admin.publicKey(),
    pauser: pauser.publicKey(),
  })
})

t.test('pauses and announced changes are shown', async (t) => {
  await by(admin, call('announce_change', change('Engine', xdr.ScVal.scvU32(1), address(pauser.publicKey()))))
  await by(pauser, call('pause', address(assets[1].contract)))
  const found = await audited()
  t.match(found, { paused: false, assets: [{ paused: false }, { paused: true }], announced: [{ change: ['Engine', 1, pauser.publicKey()] }] })
  t.ok(found.announced[0]!.due > Date.now() / 1_000 + 86_400)
  await by(pauser, call('pause', xdr.ScVal.scvVoid()))
  t.match(await audited(), { paused: true })
})

t.test('what changes while it is read is read again; what never rests is not judged', async (t) => {
  let reads = 0
  const moving = (until: number) => ({
    getLedgerEntries: async (...keys: Parameters<typeof chain.server.getLedgerEntries>) => {
      if (++reads <= until) await by(carol.key, call('cancel_request', address(carol.account), address(assets[1].contract))).then(() => by(carol.key, call('request_withdraw', address(carol.account), address(assets[1].contract), nativeToScVal(BigInt(1 + (reads % 9)), { type: 'i128' }))))
      return chain.server.getLedgerEntries(...keys)
    },
    simulateTransaction: (...of: Parameters<typeof chain.server.simulateTransaction>) => chain.server.simulateTransaction(...of),
  })
  t.match(await auditVault(moving(3), contract.id, PASSPHRASE), { solvent: true })
  t.ok(reads > 4, 'it looked again')
  reads = 0
  await t.rejects(auditVault(moving(Infinity), contract.id, PASSPHRASE), { name: 'AuditInconclusive', message: /changed each of/ })
})

t.test('the command says so, and what is taken from the vault is missing', async (t) => {
  t.match(await darkpool(...here), { code: 0, stdout: /^SOLVENT: vault C.* 3 accounts[^]*EVERYTHING IS PAUSED[^]*announced, from .*: Engine 1 G/ })
  await by(issuer, new Contract(assets[1].contract).call('clawback', address(contract.id), nativeToScVal(1n, { type: 'i128' })))
  t.match(await audited(), { solvent: false, assets: [{ surplus: 3n }, { held: 5_010n, balances: 5_011n, surplus: -1n }] })
  t.match(await darkpool(...here), { code: 1, stdout: /^NOT SOLVENT: [^]*SHORT OF 1 / })
  const json = await darkpool(...here, '--json')
  t.equal(json.code, 1)
  t.match(JSON.parse(json.stdout), { conclusive: true, solvent: false, assets: [{ held: '703' }, { surplus: '-1', exits: String }] })
  t.match(await darkpool('--rpc', 'http://127.0.0.1:1', '--vault', contract.id), { code: 4, stdout: '' })
  t.match(await darkpool('--rpc', chain.url, '--vault', 'CABC'), { code: 2 })
  t.match(await darkpool('--rpc', chain.url, '--vault', 'CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM'), { code: 4, stdout: '' })
})
