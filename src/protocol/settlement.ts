import type { AccountId, Amount, ContractId, MessageId } from './identity.ts'
import type { Trade } from './pair.ts'

/** All that other actors say to a settlement actor. */
export type SettlementMessage =
  | Trade
  /** From a vault actor: the funds are settled, free and reserved; co-sign their withdrawal. */
  | { readonly kind: 'cosign'; readonly withdrawal: MessageId; readonly account: AccountId; readonly asset: ContractId; readonly amount: Amount }
  /** From the watcher: the vault contract's stable index of an account, known since its first deposit. */
  | { readonly kind: 'registered'; readonly account: AccountId; readonly index: number }
