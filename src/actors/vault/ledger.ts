import assert from 'node:assert/strict'
import type { AccountId, Amount, ContractId } from '../../protocol/identity.ts'
import type { BalanceState } from '../../protocol/vault.ts'
import type { Account, Balance } from './state.ts'

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

export const emptyBalance = (): Balance => ({ settled: 0n, pendingIn: 0n, pendingOut: 0n, reserved: 0n })

/** What a new order may promise. A trader may trade on proceeds that are not yet on chain. */
export const available = (balance: Balance): bigint => balance.settled + balance.pendingIn - balance.pendingOut - balance.reserved

/**
 * What may leave the vault: settled money that neither unsettled trades nor reservations may come to need. The proceeds of unsettled
 * trades do not count, whatever they are worth (a chain cannot pay them yet); where a settlement's report overtook that of its
 * trade they count once, as settled less what `pendingIn` lacks.
 */
export const withdrawable = (balance: Balance): bigint => least(balance.settled, balance.settled + balance.pendingIn) - balance.pendingOut - balance.reserved

/** Who owns what: the accounts of one vault actor and the only functions that change a balance. */
export class Ledger {
  readonly #accounts: Map<AccountId, Account>

  constructor(accounts: Map<AccountId, Account>) {
    this.#accounts = accounts
  }

  account(id: AccountId): Account | undefined {
    return this.#accounts.get(id)
  }

  /** An account that something was reported about, which only happens to accounts that exist. */
  known(id: AccountId): Account {
    const account = this.#accounts.get(id)
    assert(account !== undefined, 'reports concern accounts that have deposited')
    return account
  }

  /** An account that the chain spoke of: made at its first mention. */
  open(id: AccountId): Account {
    let account = this.#accounts.get(id)
    if (account === undefined) {
      account = { id, balances: new Map(), open: new Map(), named: new Map(), closed: [], inFlight: [], sweeping: 0, keys: new Map(), delegations: 0, timers: new Map(), timerMessages: 0, fed: 0 }
      this.#accounts.set(id, account)
    }
    return account
  }

  /** The chain took a deposit. */
  deposit(account: Account, asset: ContractId, amount: bigint): void {
    assert(amount > 0n, 'a deposit is positive')
    balanceOf(account, asset).settled += amount
  }

  /** The chain paid a withdrawal. False: what is left no longer covers what the account owes and has promised. */
  withdraw(account: Account, asset: ContractId, amount: bigint): boolean {
    assert(amount > 0n, 'a withdrawal is positive')
    const balance = balanceOf(account, asset)
    balance.settled -= amount
    return balance.settled >= 0n && available(balance) >= 0n
  }

  /** Holds an amount, or says that it is not there. The one place that decides whether money can be promised. */
  reserve(account: Account, asset: ContractId, amount: bigint): boolean {
    assert(amount > 0n, 'a reservation is positive')
    const balance = account.balances.get(asset)
    if (balance === undefined || available(balance) < amount) return false
    balance.reserved += amount
    return true
  }

  release(account: Account, asset: ContractId, amount: bigint): void {
    const balance = balanceOf(account, asset)
    assert(amount >= 0n && balance.reserved >= amount, 'no more is released than is reserved')
    balance.reserved -= amount
  }

  /** A trade: what was held for it is due, and what it brings is owed. Both sides move on chain later. */
  trade(account: Account, out: ContractId, outAmount: bigint, into: ContractId, inAmount: bigint): void {
    assert(outAmount > 0n && inAmount >= 0n, 'a trade takes something, and a fee may leave nothing of what it brings')
    balanceOf(account, out).pendingOut += outAmount
    balanceOf(account, into).pendingIn += inAmount
  }

  /** The chain settled a batch: the account's trades in it, gross. */
  settle(account: Account, asset: ContractId, into: bigint, out: bigint): void {
    assert(into >= 0n && out >= 0n, 'gross amounts are not negative')
    const balance = balanceOf(account, asset)
    balance.settled += into - out
    balance.pendingIn -= into
    balance.pendingOut -= out
  }
}

export function balanceOf(account: Account, asset: ContractId): Balance {
  let balance = account.balances.get(asset)
  if (balance === undefined) {
    balance = emptyBalance()
    account.balances.set(asset, balance)
  }
  return balance
}

export function balanceState(asset: ContractId, balance: Balance): BalanceState {
  return {
    asset,
    settled: balance.settled as Amount,
    pending: (balance.pendingIn - balance.pendingOut) as Amount,
    reserved: balance.reserved as Amount,
    available: available(balance) as Amount,
  }
}
