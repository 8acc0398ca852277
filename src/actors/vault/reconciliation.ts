import type { AccountId, ActorName, ContractId } from '../../protocol/identity.ts'
import type { SettlementMessage } from '../../protocol/settlement.ts'
import type { Holdings } from '../../protocol/vault.ts'
import type { Effects } from '../runtime/machine.ts'
import { raise } from './alarms.ts'
import type { Ledger } from './ledger.ts'
import type { Compared, VaultState } from './state.ts'

/** Readings of the chain that may wait for the watcher; the next round brings what was dropped. */
const MOST_WAITING = 4

/**
 * Holds the books against what the contract holds. Both have a ledger: what the contract held was read at one, and each change of `settled` came from one. A balance is compared once the
 * watcher has reported everything up to the ledger of the reading, and only where nothing later has moved it: then the two are of the same moment, to the unit, whatever is in flight.
 */
export class Reconciliation {
  readonly #state: VaultState
  readonly #ledger: Ledger
  readonly #settlement: ActorName

  constructor(state: VaultState, ledger: Ledger, settlement: ActorName) {
    this.#settlement = settlement
    this.#state = state
    this.#ledger = ledger
  }

  /** The chain has moved what an account has of an asset. */
  moved(account: AccountId, asset: ContractId, { ledger, transaction }: { readonly ledger: number; readonly transaction: string }, { record }: Effects): void {
    const one = this.#find(account, asset) ?? this.#begin(account, asset)
    one.moved = Math.max(one.moved, ledger)
    one.first ??= { record, transaction }
  }

  /** What the contract held, of some accounts. */
  hear(holdings: Holdings, effects: Effects): void {
    if (holdings.ledger <= this.#state.ledger) return this.#compare(holdings, effects)
    this.#state.holdings.push(holdings)
    if (this.#state.holdings.length > MOST_WAITING) this.#state.holdings.shift()
  }

  /** Everything up to and including a ledger has been reported. */
  complete(ledger: number, effects: Effects): void {
    this.#state.ledger = ledger
    const due = this.#state.holdings.filter((holdings) => holdings.ledger <= ledger)
    if (due.length === 0) return
    this.#state.holdings.splice(0, Infinity, ...this.#state.holdings.filter((holdings) => holdings.ledger > ledger))
    for (const holdings of due) this.#compare(holdings, effects)
  }

  /** Whether the books of an account and the chain part in any asset. */
  differs(account: AccountId): boolean {
    for (const { differs } of this.#state.compared.get(account)?.values() ?? []) if (differs) return true
    return false
  }

  #compare({ ledger, assets, accounts }: Holdings, effects: Effects): void {
    for (const { account, amounts } of accounts) {
      for (const [place, asset] of assets.entries()) {
        const held = amounts[place] ?? null
        if (held !== null) this.#hold(account, asset, held, ledger, effects)
      }
    }
  }

  #hold(account: AccountId, asset: ContractId, held: bigint, ledger: number, effects: Effects): void {
    const settled = this.#ledger.account(account)?.balances.get(asset)?.settled ?? 0n
    const known = this.#find(account, asset)
    if (known === undefined && settled === held) return
    const one = known ?? this.#begin(account, asset)
    if (one.moved > ledger) return
    if (settled === held) {
      if (one.differs) this.#tell({ kind: 'agrees', account, asset }, effects)
      one.agreed = ledger
      one.first = null
      one.differs = false
      return
    }
    if (one.differs) return
    one.differs = true
    raise(this.#state, { kind: 'books_differ', account, asset, transaction: one.first?.transaction ?? null, ledger, time: effects.time })
    this.#tell({ kind: 'differs', account, asset, ledger, agreed: one.agreed, first: one.first }, effects)
  }

  /** Whoever co-signs hears of it at once: withdrawals that were asked for before may still wait there. */
  #tell(message: Extract<SettlementMessage, { kind: 'differs' | 'agrees' }>, effects: Effects): void {
    effects.send(this.#settlement, message)
  }

  #find(account: AccountId, asset: ContractId): Compared | undefined {
    return this.#state.compared.get(account)?.get(asset)
  }

  #begin(account: AccountId, asset: ContractId): Compared {
    const of = this.#state.compared.get(account) ?? new Map<ContractId, Compared>()
    this.#state.compared.set(account, of)
    const one: Compared = { moved: 0, agreed: null, first: null, differs: false }
    of.set(asset, one)
    return one
  }
}
