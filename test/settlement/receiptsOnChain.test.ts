import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readBatch, ReceiptInvalid, verifyReceipt } from '../../src/client/receipt.ts'
import { unpackEntries } from '../../src/protocol/leaves.ts'
import type { LeavesMessage } from '../../src/protocol/leaves.ts'
import { toHex } from '../../src/protocol/hex.ts'
import type { Receipt } from '../../src/protocol/receiptShape.ts'
import { DeployedVault } from './deployedVault.ts'
import { LocalChain, PASSPHRASE } from './localChain.ts'
import { receiptOf, sortedLeaves } from './receipts.ts'
import { SettlementRig } from './settlementRig.ts'
import { salts } from './trades.ts'

// Receipts held against a real chain, by the client and by the command.

const chain = await LocalChain.start('0.2')
t.teardown(() => chain.end())
const vault = await DeployedVault.deploy(chain)
const rig = new SettlementRig(vault, 500)
t.teardown(() => rig.end())
const folder = mkdtempSync(join(tmpdir(), 'darkpool-receipts-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const [buyer, seller] = [await vault.trader(), await vault.trader()]
await vault.deposit(seller, 0, 1_000_000_000n)
await vault.deposit(buyer, 1, 1_000_000_000n)
rig.register(buyer, seller)
rig.start()
const traded = rig.trades([1n, 2n, 3n].map((lots) => [buyer, seller, lots * 10_000_000n, lots * 1_000_000n]))
await rig.settled(1)

const { transaction, ledger } = rig.status.settled!
const receipts = traded.flatMap((one) =>
  (['buy', 'sell'] as const).map((side): Receipt => ({
    ...receiptOf(traded, one, side, { channel: 0, sequence: 1, salts, assetsOf: vault.assetsOf }),
    network: PASSPHRASE, vault: vault.contract.id, transaction, ledger,
  })),
)

async function verify(receipt: unknown, ...options: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const file = join(folder, 'receipt.json')
  writeFileSync(file, typeof receipt === 'string' ? receipt : JSON.stringify(receipt))
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/darkpool.ts'), 'receipt', 'verify', file, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

async function faultOf(reading: Promise<unknown>): Promise<unknown> {
  try {
    await reading
    return 'read'
  } catch (error) {
    if (error instanceof ReceiptInvalid) return error.fault
    throw error
  }
}

t.test('what is settled and stored is what receipts are made of', async (t) => {
  const stored = rig.actor.published as LeavesMessage[]
  t.match(stored, [{ v: 1, seq: 1, actor: 'settlement.0', type: 'leaves', sequence: 1, first: 0, path: '' }])
  t.same(unpackEntries(stored[0]!.entries).map(({ leaf }) => toHex(leaf)), sortedLeaves(traded, { channel: 0, sequence: 1, salts, assetsOf: vault.assetsOf }).map(toHex))
  t.same((await vault.contract.getChannel(chain.server, 0)).tradesRoot, Buffer.from((await readBatch(chain.url, receipts[0]!, vault.contract.id)).root, 'hex'))
})

t.test('the client proves each of them by what the chain says', async (t) => {
  for (const receipt of receipts) {
    const batch = await readBatch(chain.url, receipt, vault.contract.id)
    t.match(batch, { network: PASSPHRASE, vault: vault.contract.id, channel: 0, sequence: 1, trades: 3, transaction, ledger })
    t.equal(verifyReceipt(receipt, batch), receipt)
    t.throws(() => verifyReceipt({ ...receipt, sequence: 2 }, batch), { message: /not under the root/ })
    t.throws(() => verifyReceipt({ ...receipt, ledger: ledger + 1 }, batch), { message: /another ledger/ })
  }
  const [receipt] = receipts as [Receipt]
  t.equal(await faultOf(readBatch(chain.url, { ...receipt, transaction: 'ab'.repeat(32) }, vault.contract.id)), 'unsettled')
  t.equal(await faultOf(readBatch(chain.url, { ...receipt, ledger: ledger + 1_000_000 }, vault.contract.id)), 'unsettled')
  t.equal(await faultOf(readBatch(chain.url, { ...receipt, channel: 1 }, vault.contract.id)), 'unsettled')
  t.equal(await faultOf(readBatch(chain.url, { ...receipt, network: 'another' }, vault.contract.id)), 'batch')
  t.equal(await faultOf(readBatch(chain.url, receipt, vault.assets[0].contract)), 'unsettled', 'the batch of another contract is none of this vault')
  await t.rejects(readBatch('http://127.0.0.1:1', receipt, vault.contract.id), { name: 'ChainAway' })
  await t.rejects(readBatch('http://rpc.example', receipt, vault.contract.id), { message: /https/ })
})

t.test('the command says so, and ends with what a script may go by', async (t) => {
  const [receipt] = receipts as [Receipt]
  const rpc = ['--rpc', chain.url]
  const { root } = await readBatch(chain.url, receipt, vault.contract.id)
  t.match(await verify(receipt, ...rpc), { code: 0, stdout: new RegExp(`^PROVED: ${receipt.account} bought 1 at 0\\.1 for 0\\.1 in A0-A1.*\nin batch 1 of vault ${receipt.vault}, transaction ${transaction}, ledger ${ledger}\n$`) })
  t.match(await verify(receipt, '--root', root), { code: 0, stdout: /^PROVED: .*\nunder the given root/ })
  t.match(JSON.parse((await verify(receipt, ...rpc, '--vault', vault.contract.id, '--json')).stdout), { proved: true, offline: false, receipt })
  t.match(await verify({ ...receipt, price: '0.2' }, ...rpc), { code: 1, stdout: /^NOT PROVED: .*\[malformed\]\n$/ })
  t.match(await verify({ ...receipt, order: 'ab'.repeat(32) }, ...rpc), { code: 1, stdout: /^NOT PROVED: .*\[root\]\n$/ })
  t.match(await verify({ ...receipt, transaction: 'ab'.repeat(32) }, ...rpc), { code: 1, stdout: /\[unsettled\]\n$/ })
  t.match(await verify(receipt, '--root', '0'.repeat(64)), { code: 1, stdout: /\[root\]\n$/ })
  t.match(await verify(receipt, ...rpc, '--vault', vault.assets[0].contract), { code: 1, stdout: /\[unsettled\]\n$/ })
  t.match(JSON.parse((await verify('{', ...rpc, '--json')).stdout), { proved: false, fault: 'malformed' })
  t.match(await verify(receipt, '--rpc', 'http://127.0.0.1:1'), { code: 4, stdout: '', stderr: /does not answer/ })
  for (const options of [['--root', 'zz'], ['--root', root, ...rpc], ['--root', root, '--vault', vault.contract.id]]) t.match(await verify(receipt, ...options), { code: 2, stdout: '' })
})
