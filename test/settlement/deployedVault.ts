import { readFileSync } from 'node:fs'
import { Asset, Keypair, Operation } from '@stellar/stellar-sdk'
import { paths } from '../../scripts/setup/paths.ts'
import type { AccountId, ContractId, MarketName } from '../../src/protocol/identity.ts'
import type { Asset as VaultAsset } from '../../src/protocol/market.ts'
import { addAsset, createVault, deployAssetContract, deposit, setMatchingEngine, uploadWasm } from '../../src/settlement/deployment.ts'
import type { MarketAssets } from '../../src/settlement/netting.ts'
import { execute } from '../../src/settlement/transaction.ts'
import type { Applied, Signer } from '../../src/settlement/transaction.ts'
import { VaultContract } from '../../src/settlement/vaultContract.ts'
import { PASSPHRASE } from './localChain.ts'
import type { LocalChain } from './localChain.ts'

export interface Trader {
  readonly key: Keypair
  readonly account: AccountId
  /** Its account index in the vault. */
  index: number
}

/** A vault on a local chain with an issued asset and the native one, and two traders who can pay both in. */
export class DeployedVault {
  readonly chain: LocalChain
  readonly admin = Keypair.random()
  readonly engine = Keypair.random()
  readonly issuer = Keypair.random()
  contract!: VaultContract
  fromLedger!: number
  assets!: readonly [VaultAsset, VaultAsset]

  private constructor(chain: LocalChain) {
    this.chain = chain
  }

  static async deploy(chain: LocalChain): Promise<DeployedVault> {
    const vault = new DeployedVault(chain)
    const { admin, engine, issuer } = vault
    for (const key of [admin, engine, issuer]) await chain.server.requestAirdrop(key.publicKey())
    const signer = vault.signer(admin)
    const { id: wasm } = await uploadWasm(signer, readFileSync(paths.wasm))
    const { id, applied } = await createVault(signer, wasm, new Uint8Array(32).fill(7))
    vault.fromLedger = applied?.ledger ?? 0
    vault.contract = new VaultContract(id, PASSPHRASE)
    await setMatchingEngine(signer, id, engine.publicKey() as AccountId)
    const assets: VaultAsset[] = []
    for (const asset of [Asset.native(), vault.usd]) {
      const { id: contract } = await deployAssetContract(signer, asset)
      const { id: index } = await addAsset(signer, id, contract)
      assets.push({ code: asset.getCode(), contract, index, decimals: 7 })
    }
    vault.assets = assets as unknown as DeployedVault['assets']
    return vault
  }

  get usd(): Asset {
    return new Asset('USD', this.issuer.publicKey())
  }

  signer(key: Keypair): Signer {
    return { server: this.chain.server, passphrase: PASSPHRASE, key }
  }

  /** A funded account that holds a million USD. */
  async trader(key = Keypair.random()): Promise<Trader> {
    await this.chain.server.requestAirdrop(key.publicKey())
    await execute(this.signer(key), Operation.changeTrust({ asset: this.usd }))
    await execute(this.signer(this.issuer), Operation.payment({ asset: this.usd, destination: key.publicKey(), amount: '1000000' }))
    return { key, account: key.publicKey() as AccountId, index: -1 }
  }

  async deposit(trader: Trader, asset: 0 | 1, amount: bigint): Promise<Applied> {
    const { index, applied } = await deposit(this.signer(trader.key), this.contract.id, this.assets[asset].contract, amount)
    trader.index = index
    return applied
  }

  /** Two who can trade with each other: the first has deposited asset 1, the second asset 0. */
  async counterparties(amount: bigint): Promise<readonly [Trader, Trader]> {
    const [buyer, seller] = [await this.trader(), await this.trader()]
    await this.deposit(buyer, 1, amount)
    await this.deposit(seller, 0, amount)
    return [buyer, seller]
  }

  balance(trader: Trader, asset: 0 | 1): Promise<bigint> {
    return this.contract.getBalance(this.chain.server, trader.account, this.assets[asset].contract)
  }

  /** The one market: native against USD. */
  readonly assetsOf = (_market: MarketName): MarketAssets => ({ base: this.assets[0], quote: this.assets[1] })

  get token(): ContractId {
    return this.assets[1].contract
  }
}

