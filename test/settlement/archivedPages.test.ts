import { Asset } from '@stellar/stellar-sdk'
import t from 'tap'
import type { Amount } from '../../src/protocol/identity.ts'
import type { Asset as VaultAsset } from '../../src/protocol/market.ts'
import { AuditInconclusive, auditVault } from '../../src/settlement/audit.ts'
import { addAsset, deployAssetContract } from '../../src/settlement/deployment.ts'
import { VaultStorage } from '../../src/settlement/vaultStorage.ts'
import { DeployedVault } from './deployedVault.ts'
import { LocalChain, PASSPHRASE } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'
import { until } from './waiting.ts'

// Accounts that nobody has touched for longer than the network keeps them: what the contract holds of them is read all the same, whatever the endpoint shows.

t.setTimeout(280_000)

/** More than the 120 days that the contract keeps an entry for. */
const [LEDGERS, LEDGER_S] = [2_200_000, 5]

const chain = await LocalChain.start('0.3', true)
t.teardown(() => chain.end())
const vault = await DeployedVault.deploy(chain)
const admin = vault.signer(vault.admin)
const assets: VaultAsset[] = [...vault.assets]
// The fifth is in a group of its own, of which no page was ever written.
for (const code of ['C', 'D', 'E']) {
  const { id: contract } = await deployAssetContract(admin, new Asset(code, vault.issuer.publicKey()))
  assets.push({ code, contract, index: (await addAsset(admin, vault.contract.id, contract)).id, decimals: 7 })
}
const [alice, bob] = [await vault.trader(), await vault.trader()]
await vault.deposit(alice, 0, 10_000n)
await vault.deposit(bob, 1, 90_000n)

const storage = new VaultStorage(chain.server, vault.contract.id)
const page = storage.ledgerKey(storage.keys.page(0, 0))

type Entries = Awaited<ReturnType<typeof chain.server.getLedgerEntries>>
const isArchivedPage = ({ key, liveUntilLedgerSeq = 0 }: Entries['entries'][number], latest: number): boolean => key.type === 'contractData' && key.value.key.type === 'scvU64' && liveUntilLedgerSeq < latest
/** An endpoint that leaves archived pages out. */
const silent = {
  getLedgerEntries: async (...keys: Parameters<typeof chain.server.getLedgerEntries>): Promise<Entries> => {
    const answer = await chain.server.getLedgerEntries(...keys)
    return { ...answer, entries: answer.entries.filter((entry) => !isArchivedPage(entry, answer.latestLedger)) }
  },
  simulateTransaction: (...call: Parameters<typeof chain.server.simulateTransaction>) => chain.server.simulateTransaction(...call),
}

/** What a settlement actor tells vault actors of the two: all it has told so far. */
function reader(server: typeof silent): { readonly rig: SettlementRig; readonly told: () => readonly (readonly (readonly (Amount | null)[])[])[] } {
  const rig = new SettlementRig(vault)
  rig.reconcile_ms = 30
  rig.reconciling = { server, assets }
  rig.register(alice, bob)
  rig.start()
  t.teardown(() => rig.end())
  const amountsOf = (account: string) => rig.reports.flatMap((report) => (report.kind === 'holdings' ? report.accounts.filter((one) => one.account === account).map(({ amounts }) => amounts) : []))
  return { rig, told: () => [amountsOf(alice.account), amountsOf(bob.account)] }
}
const whole = (amounts: readonly (Amount | null)[] | undefined): boolean => amounts !== undefined && !amounts.includes(null)
const [held, heldByBob] = [[10_000n, 0n, 0n, 0n, 0n], [0n, 90_000n, 0n, 0n, 0n]]

t.test('a page that was never written holds nothing, once that was found out', async (t) => {
  const { rig, told } = reader(chain.server)
  await until('both are told in full', () => told().every((readings) => whole(readings.at(-1))))
  t.strictSame(told()[0]![0], [10_000n, 0n, 0n, 0n, null], 'at first it is not known')
  t.strictSame(told().map((readings) => readings.at(-1)), [held, heldByBob])
  await until('nothing is unseen', () => rig.status.reconciled?.unseen === 0)
  await rig.end()
})

t.test('archived, they are told like any other', async (t) => {
  await chain.admin('POST', 'jump', { ledgers: LEDGERS, seconds: LEDGERS * LEDGER_S })
  t.strictSame((await silent.getLedgerEntries(page)).entries, [], 'they are archived')
  const { rig, told } = reader(chain.server)
  await until('both are told in full', () => told().every((readings) => whole(readings.at(-1))))
  t.strictSame(told().map((readings) => readings.at(-1)), [held, heldByBob])
  await rig.end()
})

t.test('where an endpoint leaves them out, the contract says what is there; and what is brought back is read anew', async (t) => {
  const { rig, told } = reader(silent)
  await until('both are told in full', () => told().every((readings) => whole(readings.at(-1))))
  t.strictSame(told()[0]![0], [null, null, null, null, null])
  t.strictSame(told().map((readings) => readings.at(-1)), [held, heldByBob])
  await until('nothing is unseen', () => rig.status.reconciled?.unseen === 0)
  await t.rejects(auditVault(silent, vault.contract.id, PASSPHRASE), AuditInconclusive, 'an audit does not take what is left out for nothing')
  t.match(await auditVault(chain.server, vault.contract.id, PASSPHRASE), { solvent: true, assets: [{ balances: 10_000n }, { balances: 90_000n }] })

  await vault.deposit(alice, 0, 5n)
  await until('the deposit is read', () => told()[0]!.at(-1)?.[0] === 10_005n)
  t.strictSame(told()[1]!.at(-1), heldByBob)
  t.equal(rig.status.reconciled?.unseen, 0)
})
