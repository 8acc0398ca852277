import { readFileSync } from 'node:fs'
import { Asset, Keypair, Operation } from '@stellar/stellar-sdk'
import t from 'tap'
import { paths } from '../../scripts/setup/paths.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { ContractRefusal } from '../../src/settlement/contractRefusal.ts'
import { addAsset, admitAsset, createVault, deployAssetContract, setMatchingEngine, uploadWasm } from '../../src/settlement/deployment.ts'
import { VaultGovernance } from '../../src/settlement/governance/vaultGovernance.ts'
import { IssuerRefused } from '../../src/settlement/issuer.ts'
import { execute, TransactionFailed } from '../../src/settlement/transaction.ts'
import { DeployedVault } from './deployedVault.ts'
import { LocalChain } from './localChain.ts'

t.test('a vault on a real network', async (t) => {
  const chain = await LocalChain.start('0.1')
  t.teardown(() => chain.end())
  const vault = await DeployedVault.deploy(chain)
  const { contract } = vault
  const governance = new VaultGovernance(vault.signer(vault.admin), contract.id)

  await t.test('every step of a deployment can be repeated and finds what is there', async (t) => {
    const signer = vault.signer(vault.admin)
    const wasm = await uploadWasm(signer, readFileSync(paths.wasm))
    t.equal(wasm.applied, null)
    t.same(await createVault(signer, wasm.id, new Uint8Array(32).fill(7)), { id: contract.id, applied: null })
    t.equal((await setMatchingEngine(signer, contract.id, vault.engine.publicKey() as AccountId)).applied, null)
    t.same(await deployAssetContract(signer, vault.usd), { id: vault.assets[1].contract, applied: null })
    t.same(await addAsset(signer, contract.id, vault.assets[1].contract), { id: 1, applied: null })
    t.ok(vault.fromLedger > 1)
  })

  await t.test('an asset is admitted by what its issuer can do, and that is on record', async (t) => {
    const signer = vault.signer(vault.admin)
    const issuer = Keypair.random()
    await chain.server.requestAirdrop(issuer.publicKey())
    const asset = new Asset('EUR', issuer.publicKey())
    const { id: token } = await deployAssetContract(signer, asset)
    const flags = (setFlags: 1 | 10): Promise<unknown> => execute(vault.signer(issuer), Operation.setOptions({ setFlags }))
    await flags(10)
    const refused = await admitAsset(signer, contract.id, asset, ['revocation', 'authorisation']).catch((error: unknown) => error)
    t.ok(refused instanceof IssuerRefused)
    t.same((refused as IssuerRefused).powers, ['clawback'])
    t.equal(await governance.assetIndex(token), null)
    t.equal(await governance.issuerFlags(token), null)

    t.equal((await admitAsset(signer, contract.id, asset, ['revocation', 'clawback'])).id, 2)
    t.equal(await governance.issuerFlags(token), 10)
    t.same(await admitAsset(signer, contract.id, asset, ['revocation', 'clawback']), { id: 2, applied: null })
    // An issuer that takes another power is looked at again, and refused or recorded.
    await flags(1)
    await t.rejects(admitAsset(signer, contract.id, asset, ['revocation', 'clawback']), /EUR.*authorisation/)
    t.equal(await governance.issuerFlags(token), 10)
    const again = await admitAsset(signer, contract.id, asset, ['authorisation', 'revocation', 'clawback'])
    t.equal(again.id, 2)
    t.not(again.applied, null)
    t.equal(await governance.issuerFlags(token), 11)
    t.equal((await admitAsset(signer, contract.id, Asset.native(), [])).id, 0)
    t.equal(await governance.issuerFlags(vault.assets[0].contract), 0)
  })

  await t.test('deposits, and the views', async (t) => {
    const trader = await vault.trader()
    t.equal(await contract.getAccountIndex(chain.server, trader.account), null)
    const applied = await vault.deposit(trader, 1, 12_345n)
    t.equal(trader.index, 0)
    t.ok(applied.ledger > vault.fromLedger)
    t.equal(await vault.balance(trader, 1), 12_345n)
    t.equal(await vault.balance(trader, 0), 0n)
    t.equal(await contract.getAccountIndex(chain.server, trader.account), 0)
    t.equal(await governance.engine(0), vault.engine.publicKey())
    const { epoch, sequence } = await contract.getChannel(chain.server, 0)
    t.same({ epoch, sequence }, { epoch: 0, sequence: 0 })
  })

  await t.test('what the contract or the network refuses has its name, and no arguments', async (t) => {
    const trader = await vault.trader()
    await t.rejects(vault.deposit(trader, 1, 0n), new ContractRefusal('Error(Contract, #22)'))
    const payment = Operation.payment({ asset: vault.usd, destination: vault.admin.publicKey(), amount: '1' })
    const failure = await execute(vault.signer(trader.key), payment).catch((error: unknown) => error)
    t.ok(failure instanceof TransactionFailed)
    t.match((failure as TransactionFailed).code, /payment.*NoTrust/i)
  })
})
