import { setTimeout as delay } from 'node:timers/promises'
import type { Keypair } from '@stellar/stellar-sdk'
import { Client } from '../../src/client/client.ts'
import { SecretSigner } from '../../src/client/secretSigner.ts'
import type { BalanceView } from '../../src/client/views/account.ts'
import { formatDecimal } from '../../src/protocol/decimal.ts'
import type { AccountId } from '../../src/protocol/identity.ts'
import { deposit, withdraw } from '../../src/settlement/deployment.ts'
import type { Applied } from '../../src/settlement/transaction.ts'
import type { Chain } from './chain.ts'
import type { DeployedAsset, Deployment } from './deployment.ts'

const POLL_ms = 50

/** A trader of the local venue: a funded Stellar account, and a client that trades with its key. */
export class LocalTrader {
  readonly name: string
  readonly key: Keypair
  readonly #chain: Chain
  readonly #deployment: Deployment
  readonly #gateway: string
  #client: Promise<Client> | undefined

  constructor(name: string, key: Keypair, chain: Chain, deployment: Deployment, gateway: string) {
    this.name = name
    this.key = key
    this.#chain = chain
    this.#deployment = deployment
    this.#gateway = gateway
  }

  get account(): AccountId {
    return this.key.publicKey() as AccountId
  }

  /** Its client; the first call asks the gateway what the venue is. */
  client(): Promise<Client> {
    return (this.#client ??= Client.open(this.#gateway, new SecretSigner(this.key.secret())))
  }

  /** Pays tokens into the vault. `amount` in smallest units. */
  async deposit(code: string, amount: bigint): Promise<Applied> {
    const { applied } = await deposit(await this.#chain.signer(this.key), this.#deployment.vault, this.#asset(code).contract, amount)
    return applied
  }

  /** Takes tokens out with the engine's authorisation. */
  async withdraw(code: string, amount: bigint, authorization: string): Promise<Applied> {
    return withdraw(await this.#chain.signer(this.key), this.#deployment.vault, this.#asset(code).contract, amount, authorization)
  }

  /** What the vault contract holds for it, in smallest units. */
  async onChain(code: string): Promise<bigint> {
    return this.#chain.balance(this.#deployment.vault, this.account, this.#asset(code).contract)
  }

  /** What the venue says it has. */
  async balance(code: string): Promise<BalanceView> {
    const balances = await (await this.client()).balances()
    return balances.find(({ asset }) => asset === code) ?? { asset: code, contract: this.#asset(code).contract, settled: '0', pending: '0', reserved: '0', available: '0' }
  }

  /** Resolves when the venue has seen on chain what the chain shows, in every asset. */
  async caughtUp(timeout_ms = 60_000): Promise<void> {
    for (const end = Date.now() + timeout_ms; ; await delay(POLL_ms)) {
      const differing = await this.#differing()
      if (differing === undefined) return
      if (Date.now() > end) throw new Error(`the venue does not see ${this.name}'s ${differing} as the chain shows it`)
    }
  }

  /** Resolves when no trade of it is still on its way to the chain. */
  async settled(timeout_ms = 120_000): Promise<void> {
    const client = await this.client()
    for (const end = Date.now() + timeout_ms; ; await delay(POLL_ms)) {
      const balances = await client.balances()
      if (balances.every(({ pending }) => pending === '0')) return
      if (Date.now() > end) throw new Error(`trades of ${this.name} were not settled within ${timeout_ms / 1_000} s`)
    }
  }

  async #differing(): Promise<string | undefined> {
    const shown = await (await this.client()).balances()
    for (const { code, decimals } of this.#deployment.assets) {
      const settled = shown.find(({ asset }) => asset === code)?.settled ?? '0'
      if (settled !== formatDecimal(await this.onChain(code), decimals)) return code
    }
    return undefined
  }

  #asset(code: string): DeployedAsset {
    const asset = this.#deployment.assets.find((candidate) => candidate.code === code)
    if (!asset) throw new Error(`there is no asset ${code}`)
    return asset
  }
}
