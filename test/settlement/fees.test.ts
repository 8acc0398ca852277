import { Keypair } from '@stellar/stellar-sdk'
import t from 'tap'
import type { AccountId } from '../../src/protocol/identity.ts'
import { collectFees, setFeeCap, setTreasury } from '../../src/settlement/deployment.ts'
import { VaultGovernance } from '../../src/settlement/governance/vaultGovernance.ts'
import { DeployedVault } from './deployedVault.ts'
import { LocalChain } from './localChain.ts'
import { SettlementRig } from './settlementRig.ts'
import { until } from './waiting.ts'

t.setTimeout(240_000)

const FUNDS = 1_000_000n
const CAP_PPM = 2_000

t.test('fees on a chain that closes ledgers: charged within the cap, and collected by the treasury alone', async (t) => {
  const chain = await LocalChain.start('0.1')
  t.teardown(() => chain.end())
  const vault = await DeployedVault.deploy(chain)
  const { contract } = vault
  const admin = vault.signer(vault.admin)
  const treasury = await vault.trader()
  const capped = await setFeeCap(admin, contract.id, CAP_PPM)
  const named = await setTreasury(admin, contract.id, treasury.account)
  t.ok(capped.applied !== null && named.applied !== null)
  t.same([await setFeeCap(admin, contract.id, CAP_PPM), await setTreasury(admin, contract.id, treasury.account)], [{ id: CAP_PPM, applied: null }, { id: treasury.account, applied: null }], 'once')

  const [alice, bob] = await vault.counterparties(FUNDS)
  const rig = new SettlementRig(vault)
  t.teardown(() => rig.end())
  rig.register(alice, bob)
  rig.start()
  const balances = (): Promise<bigint[]> => Promise.all([vault.balance(alice, 0), vault.balance(alice, 1), vault.balance(bob, 0), vault.balance(bob, 1)])
  const fees = (): Promise<bigint[]> => Promise.all(vault.assets.map(({ contract: token }) => new VaultGovernance(admin, contract.id).fees(0, token)))

  // 2,000 ppm of each side's receipts, rounded up; the second one trades most of it back.
  rig.trades([
    [alice, bob, 10_000n, 35_001n, 20n, 71n],
    [bob, alice, 9_000n, 30_000n, 18n, 60n],
  ])
  await rig.settled(1)
  t.same(await fees(), [38n, 131n])
  t.same(await balances(), [10_000n - 20n - 9_000n, FUNDS - 35_001n + 30_000n - 60n, FUNDS - 10_000n + 9_000n - 18n, 35_001n - 71n - 30_000n])
  t.same(
    rig.reports.map((report) => report.kind === 'settled' && report.moves.map((move) => [move.in, move.out])),
    [
      [[9_980n, 9_000n], [29_940n, 35_001n]],
      [[8_982n, 10_000n], [34_930n, 30_000n]],
    ],
  )

  // One that takes more than the cap lets it: set aside with an alarm, while another settles.
  rig.trades([[alice, bob, 1_000n, 3_000n, 0n, 60n]])
  rig.trades([[alice, bob, 1_000n, 3_000n, 2n, 6n]])
  await until('the other settles', () => rig.status.aside.trades === 1 && rig.status.settled?.sequence === 2 && rig.status.queued === 0)
  t.same(rig.status.aside.first, ['A0-A1:3'])
  t.match(rig.status.alarms, ['aside'])
  t.same(await fees(), [40n, 137n])

  const [native, usd] = vault.assets.map(({ contract: token }) => token) as [typeof vault.token, typeof vault.token]
  await t.rejects(collectFees(vault.signer(vault.engine), contract.id, 0, usd), 'the engine can take none of it')
  const { amount } = await collectFees(vault.signer(treasury.key), contract.id, 0, usd)
  t.equal(amount, 137n)
  t.same(await fees(), [40n, 0n])
  await t.rejects(collectFees(vault.signer(treasury.key), contract.id, 0, usd), { message: /143|144|failed|refus/ }, 'once')
  t.equal((await collectFees(vault.signer(treasury.key), contract.id, 0, native)).amount, 40n)

  const other = Keypair.random().publicKey() as AccountId
  await t.rejects(setTreasury(admin, contract.id, other), 'with accounts there, without notice')
})
