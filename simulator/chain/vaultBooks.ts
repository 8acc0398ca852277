import type { AccountId, Amount, ContractId } from '../../src/protocol/identity.ts'
import { decodeDeltas } from '../../src/settlement/deltas.ts'

/** The contract's error numbers (docs/contract.md). */
export const contractError = { unknownAsset: 5, unknownAccount: 20, invalidAmount: 22, insufficientBalance: 23, wrongSequence: 60, staleEpoch: 61, emptyBatch: 62, deltasTruncated: 80, exitUnderWay: 100, noExit: 101, exitNotDue: 102, fundsLeaving: 103, feeAboveCap: 140 } as const
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

/** What an account has asked for without the engine, and from when on it is paid. */
export interface Exit {
  readonly amount: bigint
  readonly due_s: number
}

/** An exit, and whose it is. */
export interface KnownExit extends Exit {
  readonly account: AccountId
  readonly asset: ContractId
}

const zeros = new Uint8Array(32)
const ASSETS_PER_GROUP = 4
const BALANCE_BYTES = 16
const SLOT_BYTES = ASSETS_PER_GROUP * BALANCE_BYTES
const EXIT_BYTES = 26
/** From a request to its payment (docs/contract.md, "The way out"). */
export const EXIT_DELAY_s = 24 * 3_600
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
  /** By account index and asset index. */
  readonly #exits = new Map<string, { readonly index: number; readonly at: number; readonly exit: Exit }>()
  /** As the last page was made; null since something has changed. */
  #page: Uint8Array | null = null
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

  /** Gives the account's index, and what of its exit is left where it had one: null where that is nothing. */
  withdraw(account: AccountId, asset: ContractId, amount: bigint): { readonly index: number; readonly left?: Exit | null } {
    const index = this.#indexes.get(account)
    if (index === undefined || this.withdrawFault(account, asset, amount) !== null) throw new Error('a withdrawal was not looked at before it was made')
    const at = this.#assets.indexOf(asset)
    this.#add(index, at, -amount)
    const exit = this.#exits.get(`${index} ${at}`)?.exit
    if (exit === undefined) return { index }
    const left = exit.amount > amount ? { ...exit, amount: exit.amount - amount } : null
    this.#setExit(index, at, left)
    return { index, left }
  }

  /** Everything that was asked for and is not paid. */
  get exits(): readonly KnownExit[] {
    return Array.from(this.#exits.values(), ({ index, at, exit }) => ({ ...exit, account: this.#accounts[index] as AccountId, asset: this.#assets[at] as ContractId }))
  }

  exit(account: AccountId, asset: ContractId): Exit | undefined {
    return this.#exits.get(`${this.#indexes.get(account)} ${this.#assets.indexOf(asset)}`)?.exit
  }

  /** For the balance, where that is less. A refusal's number where it cannot be. */
  requestExit(account: AccountId, asset: ContractId, amount: bigint, now_s: number): { readonly index: number; readonly exit: Exit } | ContractError {
    const index = this.#indexes.get(account)
    if (index === undefined) return contractError.unknownAccount
    if (this.exit(account, asset) !== undefined) return contractError.exitUnderWay
    const balance = this.balance(account, asset)
    if (balance === 0n) return contractError.insufficientBalance
    const exit = { amount: amount < balance ? amount : balance, due_s: now_s + EXIT_DELAY_s }
    this.#setExit(index, this.#assets.indexOf(asset), exit)
    return { index, exit }
  }

  cancelExit(account: AccountId, asset: ContractId): { readonly index: number } | ContractError {
    const index = this.#indexes.get(account)
    if (index === undefined || this.exit(account, asset) === undefined) return contractError.noExit
    this.#setExit(index, this.#assets.indexOf(asset), null)
    return { index }
  }

  /** Pays what was asked for or what is there, whichever is less. */
  claimExit(account: AccountId, asset: ContractId, now_s: number): { readonly index: number; readonly amount: bigint } | ContractError {
    const index = this.#indexes.get(account)
    const exit = this.exit(account, asset)
    if (index === undefined || exit === undefined) return contractError.noExit
    if (now_s < exit.due_s) return contractError.exitNotDue
    const balance = this.balance(account, asset)
    const amount = exit.amount < balance ? exit.amount : balance
    if (amount === 0n) return contractError.insufficientBalance
    const at = this.#assets.indexOf(asset)
    this.#setExit(index, at, null)
    this.#add(index, at, -amount)
    return { index, amount }
  }

  /** The one page of balances that there is, as the contract lays it out (docs/contract.md, "Entries"). */
  get page(): Uint8Array {
    if (this.#page !== null) return this.#page
    const exits = [...this.#exits.values()]
    const end = this.#balances.length * SLOT_BYTES
    const page = Buffer.alloc(end + (exits.length === 0 ? 0 : exits.length * EXIT_BYTES + 1))
    this.#balances.forEach((balances, slot) => balances.forEach((balance, position) => writeI128(page, balance, slot * SLOT_BYTES + position * BALANCE_BYTES)))
    exits.forEach(({ index, at, exit }, n) => {
      const place = end + n * EXIT_BYTES
      page[place] = index
      page[place + 1] = at
      page.writeBigUInt64BE(BigInt(exit.due_s), place + 2)
      writeI128(page, exit.amount, place + 10)
    })
    if (exits.length > 0) page[page.length - 1] = exits.length
    return (this.#page = page)
  }

  /** `channel`, `now_s`: as a server that lags has them. */
  batchFault(batch: OnChainBatch, channel: OnChainChannel, now_s: number): ContractError | null {
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
        const left = (balances[asset] ?? 0n) + delta
        if (left < 0n) return contractError.insufficientBalance
        const leaving = delta < 0n ? this.#exits.get(`${account} ${asset}`)?.exit : undefined
        if (leaving !== undefined && leaving.due_s <= now_s && left < leaving.amount) return contractError.fundsLeaving
      }
    } catch (error) {
      if (error instanceof RangeError) return contractError.deltasTruncated
      throw error
    }
    return null
  }

  settle(batch: OnChainBatch, now_s: number): void {
    if (this.batchFault(batch, this.#channel, now_s) !== null) throw new Error('a batch was not looked at before it was settled')
    const { deltas, fees } = decodeDeltas(batch.deltas)
    for (const { account, asset, delta } of deltas) this.#add(account, asset, delta)
    for (const { asset, amount } of fees) this.#fees[asset] = (this.#fees[asset] ?? 0n) + amount
    const { epoch, sequence, state_root, trades_root } = batch
    this.#channel = { epoch, sequence, state_root, trades_root }
  }

  #setExit(index: number, at: number, exit: Exit | null): void {
    this.#page = null
    if (exit === null) this.#exits.delete(`${index} ${at}`)
    else this.#exits.set(`${index} ${at}`, { index, at, exit })
  }

  #add(account: number, asset: number, amount: bigint): void {
    const balances = this.#balances[account]
    if (balances === undefined || asset < 0) throw new Error('no such account or asset in the vault')
    balances[asset] = (balances[asset] ?? 0n) + amount
    this.#page = null
  }
}

function writeI128(page: Buffer, value: bigint, at: number): void {
  page.writeBigInt64BE(value >> 64n, at)
  page.writeBigUInt64BE(BigInt.asUintN(64, value), at + 8)
}
