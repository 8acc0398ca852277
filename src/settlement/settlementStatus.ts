import type { MessageId } from '../protocol/identity.ts'
import type { BooksDiffer } from '../protocol/settlement.ts'

/** What the settlement machine may be asked. */
export type SettlementQuery =
  | { readonly kind: 'status' }
  /** Answered with the CosignStanding of each. */
  | { readonly kind: 'cosigns'; readonly withdrawals: readonly MessageId[] }

export type SettlementAlarm =
  /** The chain refused the same trades several times in a row. They stay at the head of the queue and are tried on. */
  | 'refused'
  /** Trades that the chain does not take are set aside while the others settle. They are tried again by themselves; an operator finds out what is wrong with them. */
  | 'aside'
  /** The oldest trade waits for an account that the watcher has not reported. */
  | 'unregistered'
  /** Trades arrive faster than they settle, for long. */
  | 'queue_long'
  /** The chain's channel does not continue this actor's history. Nothing is submitted until an operator has looked. */
  | 'diverged'
  /** RPC endpoints contradict each other. Those that a quorum contradicts do not count until they agree again; where there is no quorum, nothing moves. */
  | 'rpc_disagrees'
  /** An account that pays for settlement has little left, or is not on chain. */
  | 'fees_low'
  /** A vault actor's books of an account are not what the contract holds. Its withdrawals are refused until the two agree. */
  | 'books_differ'

export interface SettlementStatus {
  readonly channel: number
  readonly epoch: number
  /** Trades without a batch. */
  readonly queued: number
  /** Trades set aside, and the ids of the first of them. */
  readonly aside: { readonly trades: number; readonly first: readonly string[] }
  readonly flight: FlightStatus | null
  readonly settled: SettledStatus | null
  /** Refusals in a row, and what the last one said. */
  readonly refusals: number
  readonly lastRefusal: string | null
  /** RPC endpoints that contradict the others, by host. */
  readonly disagreeing: readonly string[]
  /** Accounts that pay for settlement and have little left. */
  readonly feesLow: readonly string[]
  /** Withdrawals that wait for the engine's authorisation. */
  readonly cosigns: number
  /** The last ledger at which books were held against the chain, and of how many accounts; null before the first time. */
  readonly reconciled: Reconciled | null
  /** Where they part: how many balances, and the first of them. */
  readonly differences: { readonly balances: number; readonly first: readonly BooksDiffer[] }
  readonly alarms: readonly SettlementAlarm[]
}

export interface FlightStatus {
  readonly sequence: number
  readonly trades: number
  readonly accounts: number
  /** Transactions made for it so far. */
  readonly attempts: number
  /** The one that may still apply. */
  readonly hash: string | null
}

export interface Reconciled {
  readonly ledger: number
  readonly accounts: number
  /** Accounts of the last round with a balance that no endpoint shows, and that was not found out in another way yet. */
  readonly unseen: number
}

export interface SettledStatus {
  readonly sequence: number
  readonly transaction: string
  readonly ledger: number
}
