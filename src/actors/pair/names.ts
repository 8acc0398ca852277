import assert from 'node:assert/strict'
import type { AccountId, ActorName, Amount, Lots, Milliseconds, OrderId, Ticks } from '../../protocol/identity.ts'
import type { CloseReason } from '../../protocol/pair.ts'

/** An order as the venue names it, beside the numbers that the book knows. */
export interface NamedOrder {
  readonly id: OrderId
  readonly account: AccountId
  /** The delegated key that placed it; null where it was the account's own. */
  readonly signer: AccountId | null
  /** The account's number in the book, once the order has been added. */
  handle: number
  /** The vault actor that owns the account and hears what becomes of the order. */
  readonly vault: ActorName
  readonly created: Milliseconds
  ticks: Ticks
  /** Total: what is filled and what is open. */
  lots: Lots
  filledLots: Lots
  filledQuote: Amount
  /** Whether its vault actor has heard that it rests. */
  rested: boolean
  reason: CloseReason | null
}

/** Vault actors number their orders; a partition's number and the partition make the order's number in the book. */
const PARTITIONS = 64
const MOST = 2 ** 47

export function bookNumber(number: number, partition: number): number {
  assert(Number.isSafeInteger(number) && number >= 1 && number < MOST && partition >= 0 && partition < PARTITIONS, 'an order is numbered 1 … 2^47 − 1 in a partition below 64')
  return number * PARTITIONS + partition
}
export const partitionOf = (bookNumber: number): number => bookNumber % PARTITIONS

/** Every order that is open in the market, by its number in the book. */
export class NamedOrders {
  readonly #orders = new Map<number, NamedOrder>()
  readonly #accounts = new Map<AccountId, { readonly handle: number; orders: number }>()
  readonly #byHandle: (AccountId | undefined)[] = []
  readonly #free: number[] = []
  /** Numbers of the orders that delegated keys have placed, by key and account: few, beside all orders. */
  readonly #ofKeys = new Map<AccountId, Map<AccountId, Set<number>>>()

  /** `accounts` have the numbers of their places, and their orders are added next. */
  constructor(accounts: readonly AccountId[] = []) {
    for (const [handle, account] of accounts.entries()) {
      this.#accounts.set(account, { handle, orders: 0 })
      this.#byHandle.push(account)
    }
  }

  /** Open orders. */
  get size(): number {
    return this.#orders.size
  }

  get(number: number): NamedOrder {
    const order = this.#orders.get(number)
    assert(order !== undefined, 'an order in the book has a name')
    return order
  }
  find(number: number): NamedOrder | undefined {
    return this.#orders.get(number)
  }

  /** The account's number in the book; undefined where it has no open orders. */
  handleOf(account: AccountId): number | undefined {
    return this.#accounts.get(account)?.handle
  }

  /** Keeps the order itself, not a copy, and gives it its handle: a recovery adds a million. */
  add(number: number, order: NamedOrder): NamedOrder {
    let account = this.#accounts.get(order.account)
    if (account === undefined) {
      account = { handle: this.#free.pop() ?? this.#byHandle.length, orders: 0 }
      this.#accounts.set(order.account, account)
      this.#byHandle[account.handle] = order.account
    }
    account.orders++
    order.handle = account.handle
    this.#orders.set(number, order)
    if (order.signer !== null) this.#delegated(order.account, order.signer).add(number)
    return order
  }

  /** An order has closed; an account without orders gives its number back. */
  drop(number: number): void {
    const order = this.get(number)
    this.#orders.delete(number)
    if (order.signer !== null) this.#undelegate(order.account, order.signer, number)
    const account = this.#accounts.get(order.account)
    assert(account !== undefined, 'an order has an account')
    if (--account.orders > 0) return
    this.#accounts.delete(order.account)
    this.#byHandle[account.handle] = undefined
    this.#free.push(account.handle)
  }

  /** Numbers of the open orders of an account that a delegated key has placed. */
  placedBy(account: AccountId, signer: AccountId): Iterable<number> {
    return this.#ofKeys.get(account)?.get(signer) ?? []
  }

  /** Accounts that have open orders, sorted: a numbering that does not depend on who came first. */
  accounts(): AccountId[] {
    return [...this.#accounts.keys()].sort()
  }

  accountOf(handle: number): AccountId {
    const account = this.#byHandle[handle]
    assert(account !== undefined, 'an account in the book has a name')
    return account
  }

  #delegated(account: AccountId, signer: AccountId): Set<number> {
    const keys = this.#ofKeys.get(account) ?? new Map<AccountId, Set<number>>()
    const numbers = keys.get(signer) ?? new Set<number>()
    this.#ofKeys.set(account, keys.set(signer, numbers))
    return numbers
  }

  #undelegate(account: AccountId, signer: AccountId, number: number): void {
    const numbers = this.#delegated(account, signer)
    numbers.delete(number)
    if (numbers.size > 0) return
    const keys = this.#ofKeys.get(account)
    keys?.delete(signer)
    if (keys?.size === 0) this.#ofKeys.delete(account)
  }
}
