import type { AccountId, Amount, ContractId } from '../../src/protocol/identity.ts'
import { decodeDeltas } from '../../src/settlement/deltas.ts'

/** The contract's error numbers (docs/contract.md). */
export const contractError = { unknownAsset: 5, unknownAccount: 20, invalidAmount: 22, insufficientBalance: 23, wrongSequence: 60, staleEpoch: 61, emptyBatch: 62, deltasTruncated: 80, feeAboveCap: 140 } as const
export type ContractError = (typeof contractError)[keyof typeof contractError]

/** A batch as the contract gets it. */
export interface OnChainBatch {
  readonly channel: number
  readonly deltas: Uint8Array
  readonly epoch: bigint
  readonly sequence: bigint
  readonly state_root: Uint8Array
  readonly trade_count: number
  readonly trades_root: Uint8Array
}

export interface OnChainChannel {
  readonly epoch: bigint
  readonly sequence: bigint
  readonly state_root: Uint8Array
  readonly trades_root: Uint8Array
}

const zeros = new Uint8Array(32)
/** What batches may take as fees, in parts per million. */
export const FEE_CAP_PPM = 3_000n

/** What the vault contract keeps: who owns how much of what, and how far its channel is. All or nothing, and never below zero. */
export class VaultBooks {
  readonly #assets: readonly ContractId[]
  readonly #indexes = new Map<AccountId, number>()
  readonly #accounts: AccountId[] = []
  /** By account index, then asset index. */
  readonly #balances: bigint[][] = []
  /** By asset index: what batches took as fees. */
  readonly #fees: bigint[]
  #channel: OnChainChannel = { epoch: 0n, sequence: 0n, state_root: zeros, trades_root: zeros }

  constructor(assets: readonly ContractId[]) {
    this.#assets = assets
    this.#fees = assets.map(() => 0n)
  }

  get channel(): OnChainChannel {
    return this.#channel
  }

  get accounts(): readonly AccountId[] {
    return this.#accounts
  }

  indexOf(account: AccountId): number | undefined {
    return this.#indexes.get(account)
  }

  balance(account: AccountId, asset: ContractId): Amount {
    const index = this.#indexes.get(account)
    return ((index === undefined ? undefined : this.#balances[index]?.[this.#assets.indexOf(asset)]) ?? 0n) as Amount
  }

  /** What batches took of an asset as fees. */
  fees(asset: ContractId): bigint {
    return this.#fees[this.#assets.indexOf(asset)] ?? 0n
  }

  /** Everything the contract holds of an asset. */
  held(asset: ContractId): bigint {
    const at = this.#assets.indexOf(asset)
    return this.#balances.reduce((sum, balances) => sum + (balances[at] ?? 0n), this.fees(asset))
  }

  /** Gives the account's index. */
  deposit(account: AccountId, asset: ContractId, amount: bigint): number {
    let index = this.#indexes.get(account)
    if (index === undefined) {
      index = this.#accounts.length
      this.#indexes.set(account, index)
      this.#accounts.push(account)
      this.#balances.push(this.#assets.map(() => 0n))
    }
    this.#add(index, this.#assets.indexOf(asset), amount)
    return index
  }

  withdrawFault(account: AccountId, asset: ContractId, amount: bigint): ContractError | null {
    if (amount <= 0n) return contractError.invalidAmount
    if (!this.#assets.includes(asset)) return contractError.unknownAsset
    if (!this.#indexes.has(account)) return contractError.unknownAccount
    return this.balance(account, asset) < amount ? contractError.insufficientBalance : null
  }

  withdraw(account: AccountId, asset: ContractId, amount: bigint): number {
    const index = this.#indexes.get(account)
    if (index === undefined || this.withdrawFault(account, asset, amount) !== null) throw new Error('a withdrawal was not looked at before it was made')
    this.#add(index, this.#assets.indexOf(asset), -amount)
    return index
  }

  /** `channel`: as a server that lags has it. */
  batchFault(batch: OnChainBatch, channel: OnChainChannel = this.#channel): ContractError | null {
    if (batch.trade_count === 0) return contractError.emptyBatch
    if (batch.epoch < channel.epoch) return contractError.staleEpoch
    if (batch.sequence !== channel.sequence + 1n) return contractError.wrongSequence
    try {
      const { deltas, fees } = decodeDeltas(batch.deltas)
      for (const { amount, turnover } of fees) if (amount > (turnover * FEE_CAP_PPM) / 1_000_000n + BigInt(batch.trade_count)) return contractError.feeAboveCap
      for (const { account, asset, delta } of deltas) {
        if (asset >= this.#assets.length) return contractError.unknownAsset
        const balances = this.#balances[account]
        if (balances === undefined) return contractError.unknownAccount
        if ((balances[asset] ?? 0n) + delta < 0n) return contractError.insufficientBalance
      }
    } catch (error) {
      if (error instanceof RangeError) return contractError.deltasTruncated
      throw error
    }
    return null
  }

  settle(batch: OnChainBatch): void {
    if (this.batchFault(batch) !== null) throw new Error('a batch was not looked at before it was settled')
    const { deltas, fees } = decodeDeltas(batch.deltas)
    for (const { account, asset, delta } of deltas) this.#add(account, asset, delta)
    for (const { asset, amount } of fees) this.#fees[asset] = (this.#fees[asset] ?? 0n) + amount
    const { epoch, sequence, state_root, trades_root } = batch
    this.#channel = { epoch, sequence, state_root, trades_root }
  }

  #add(account: number, asset: number, amount: bigint): void {
    const balances = this.#balances[account]
    if (balances === undefined || asset < 0) throw new Error('no such account or asset in the vault')
    balances[asset] = (balances[asset] ?? 0n) + amount
  }
}
