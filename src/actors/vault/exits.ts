import assert from 'node:assert/strict'
import type { AccountId, Amount, ContractId, MessageId } from '../../protocol/identity.ts'
import type { ChainReport, KnownExit } from '../../protocol/vault.ts'
import type { Effects } from '../runtime/machine.ts'
import { available, balanceOf } from './ledger.ts'
import type { Ledger } from './ledger.ts'
import type { Account, Exit, VaultState } from './state.ts'
import type { Sweeps } from './sweeps.ts'

type Asked = Extract<ChainReport, { kind: 'exit' }>

/**
 * Money that its owner takes out by the contract alone. The chain pays it when its delay is over, whatever was promised meanwhile, so
 * it is held from the moment the chain speaks of it: what is free at once, what open orders hold as soon as their markets have given
 * it back, and whatever comes in, up to what was asked for.
 */
export class Exits {
  readonly #state: VaultState
  readonly #ledger: Ledger
  readonly #sweeps: Sweeps

  constructor(state: VaultState, ledger: Ledger, sweeps: Sweeps) {
    this.#state = state
    this.#ledger = ledger
    this.#sweeps = sweeps
  }

  /** What the account asks for now: more than before, less, or nothing any more. */
  asked(account: Account, { asset, amount, due, transaction }: Asked, effects: Effects): void {
    const exit = this.#find(account.id, asset) ?? this.#begin(account.id, { asset, asked: 0n, held: 0n, due, created: effects.time })
    exit.asked = amount
    exit.due = due
    this.#giveBack(account, exit, exit.held - amount)
    if (amount === 0n) return this.#end(account.id, asset)
    this.#holdMore(account, exit)
    if (exit.held < exit.asked) this.#sweeps.takeBack(account, asset, `exit.${transaction}.${account.id}.${asset}` as MessageId, effects)
  }

  /** The chain paid. False: it was not known that the account had asked. */
  claimed(account: Account, asset: ContractId): boolean {
    const exit = this.#find(account.id, asset)
    if (exit === undefined) return false
    this.#giveBack(account, exit, exit.held)
    this.#end(account.id, asset)
    return true
  }

  /** Holds what has become free: called after whatever may have freed something, before anybody can promise it again. */
  follow(id: AccountId): void {
    const exits = this.#state.exits.get(id)
    if (exits === undefined) return
    const account = this.#ledger.known(id)
    for (const exit of exits.values()) this.#holdMore(account, exit)
  }

  followAll(): void {
    for (const id of this.#state.exits.keys()) this.follow(id)
  }

  /** What an ordinary withdrawal may take of the held money: the engine's early answer. */
  lendable(id: AccountId, asset: ContractId): bigint {
    return this.#find(id, asset)?.held ?? 0n
  }

  /** Gives held money to a withdrawal. Once it is paid the chain says that less is asked for; if it lapses, the money is held again. */
  lend(account: Account, asset: ContractId, amount: bigint): void {
    const exit = this.#find(account.id, asset)
    assert(exit !== undefined && exit.held >= amount, 'no more is lent than is held')
    this.#giveBack(account, exit, amount)
  }

  /** Of one account or of all (null), in the order they began. */
  list(only: AccountId | null): KnownExit[] {
    const ids = only === null ? [...this.#state.exits.keys()] : [only]
    return ids.flatMap((account) =>
      Array.from(this.#state.exits.get(account)?.values() ?? [], ({ asset, asked, held, due, created }) => ({ account, asset, asked: asked as Amount, held: held as Amount, due, created })),
    )
  }

  #find(id: AccountId, asset: ContractId): Exit | undefined {
    return this.#state.exits.get(id)?.get(asset)
  }

  #begin(id: AccountId, exit: Exit): Exit {
    const exits = this.#state.exits.get(id) ?? new Map<ContractId, Exit>()
    this.#state.exits.set(id, exits.set(exit.asset, exit))
    return exit
  }

  #end(id: AccountId, asset: ContractId): void {
    const exits = this.#state.exits.get(id)
    exits?.delete(asset)
    if (exits?.size === 0) this.#state.exits.delete(id)
  }

  #giveBack(account: Account, exit: Exit, amount: bigint): void {
    if (amount <= 0n) return
    this.#ledger.release(account, exit.asset, amount)
    exit.held -= amount
  }

  #holdMore(account: Account, exit: Exit): void {
    const [missing, free] = [exit.asked - exit.held, available(balanceOf(account, exit.asset))]
    const amount = missing < free ? missing : free
    if (amount <= 0n) return
    const reserved = this.#ledger.reserve(account, exit.asset, amount)
    assert(reserved, 'what is available can be held')
    exit.held += amount
  }
}
