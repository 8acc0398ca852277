import type { MessageId } from '../protocol/identity.ts'
import type { Holdings } from '../protocol/vault.ts'

/** What the settlement driver tells its machine: plain data that is journaled and replayed. */
export type SettlementLocal =
  | Submitted
  | Dead
  | Confirmed
  | Refused
  | Diverged
  | Compared
  | Endpoints
  | Fees
  | Read
  | { readonly kind: 'cosigned'; readonly withdrawal: MessageId; readonly authorization: string; readonly validUntil: number }
  /** The withdrawal cannot succeed on chain, whoever signs. */
  | { readonly kind: 'cosignRefused'; readonly withdrawal: MessageId; readonly reason: string }

/** Which batch an input is about. */
export interface OfBatch {
  readonly sequence: number
  /** Hex of its state root: a batch that was refused and formed anew has the same sequence, but is another one. */
  readonly batch: string
}

/**
 * A signed transaction that may reach the network from now on. Durable BEFORE it is sent: from here on its outcome is unknown until its
 * hash shows up or its time is over, and no other may take its place.
 */
export interface Submitted extends OfBatch {
  readonly kind: 'submitted'
  /** Hex hash of the transaction. */
  readonly hash: string
  /** Base64 XDR: what is sent, and sent again after a restart; the same bytes can apply only once. */
  readonly envelope: string
  /** The transaction's upper time bound, in Unix seconds of ledger time. */
  readonly maxTime: number
  /** The latest ledger when it was made: the transaction can only be in a later one. */
  readonly ledger: number
}

/** The transaction can never apply, or was refused before anybody else had it; the same batch may be submitted anew. */
export interface Dead extends OfBatch {
  readonly kind: 'dead'
  readonly hash: string
  readonly reason: string
}

/** The batch is on chain, final. */
export interface Confirmed extends OfBatch {
  readonly kind: 'confirmed'
  readonly hash: string
  readonly ledger: number
}

/**
 * The chain as it stands does not take the batch, and no transaction of it can still apply. `tooLarge`: it exceeds a network limit;
 * otherwise usually a balance would go below zero, because a causally earlier trade of another market has not arrived yet.
 * `fault`: which trades are to blame, where that was looked for.
 */
export interface Refused extends OfBatch {
  readonly kind: 'refused'
  readonly reason: string
  readonly tooLarge: boolean
  readonly fault: BatchFault | null
}

/** What of a batch the chain does not take. Without `aside` (places in the batch, rising) it takes the first `takes` of the others. */
export interface BatchFault {
  readonly aside: readonly number[]
  readonly takes: number
}

/** RPC endpoints that contradict the others, by name; told when they are others than before. */
export interface Endpoints {
  readonly kind: 'endpoints'
  readonly disagreeing: readonly string[]
}

/** Accounts that pay for settlement and have little left; told when they are others than before. */
export interface Fees {
  readonly kind: 'fees'
  readonly low: readonly string[]
}

/** What the channel on chain is while no batch is on its way: `agrees` where it is what this actor settled last. Told where that is news. */
export interface Compared {
  readonly kind: 'compared'
  readonly agrees: boolean
  readonly chainEpoch: number
  readonly chainSequence: number
}

/** What the contract held at a ledger, at which the channel had come to `sequence`; told once that batch is confirmed here. */
export interface Read extends Holdings {
  readonly kind: 'read'
  readonly sequence: number
  /** Accounts with a balance that could not be told in the last round, since no endpoint shows it; missing in journals of before it was counted. */
  readonly unseen?: number
}

/** The channel on chain is ahead of this actor, or holds another history: an operator must look. Nothing is submitted meanwhile. */
export interface Diverged extends OfBatch {
  readonly kind: 'diverged'
  readonly chainEpoch: number
  readonly chainSequence: number
}
