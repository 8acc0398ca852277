import type { AccountId, Amount, ContractId, MessageId } from './identity.ts'
import type { Trade } from './pair.ts'

/** Where the books of an account and the chain part: found at `ledger`, last seen to agree at `agreed`. */
export interface BooksDiffer {
  readonly account: AccountId
  readonly asset: ContractId
  readonly ledger: number
  readonly agreed: number | null
  /** The first record of the vault actor's journal after that which moved the balance, and the transaction that it names; null where none did, and the chain has moved alone. */
  readonly first: { readonly record: number; readonly transaction: string } | null
}

/** All that other actors say to a settlement actor. */
export type SettlementMessage =
  | Trade
  /** From a vault actor: the funds are settled, free and reserved; co-sign their withdrawal. */
  | { readonly kind: 'cosign'; readonly withdrawal: MessageId; readonly account: AccountId; readonly asset: ContractId; readonly amount: Amount }
  /** From a vault actor: its books of an account and what the contract holds part, or have come together again. */
  | ({ readonly kind: 'differs' } & BooksDiffer)
  | { readonly kind: 'agrees'; readonly account: AccountId; readonly asset: ContractId }
  /** From the watcher: the vault contract's stable index of an account, known since its first deposit. */
  | { readonly kind: 'registered'; readonly account: AccountId; readonly index: number }
