import { decode, encode } from '../protocol/codec.ts'
import type { AccountId, ContractId, Milliseconds } from '../protocol/identity.ts'
import type { BooksDiffer } from '../protocol/settlement.ts'
import type { Batch } from './batch.ts'
import type { BatchingState } from './batching.ts'
import { Cosigning } from './cosigning.ts'
import type { CosigningState } from './cosigning.ts'
import { Flight } from './flight.ts'
import type { Submission } from './flight.ts'
import type { Reconciled, SettledStatus } from './settlementStatus.ts'
import type { QueuedTrade } from './tradeQueue.ts'

/** Raised whenever what is stored changes; older ones are refused, or brought up to date here. */
const SNAPSHOT_VERSION = 10
/** Of before unseen balances were counted, and before the epoch was the owner's: it holds all else. */
const OLDEST_VERSION = 8

/** What of the state is plain data already. */
interface PlainState {
  readonly indexes: Map<AccountId, number>
  readonly settled: SettledStatus | null
  readonly leaves: number
  readonly stateRoot: Uint8Array
  readonly batching: BatchingState
  readonly diverged: boolean
  readonly time: Milliseconds
  readonly epoch: number
  readonly disagreeing: readonly string[]
  readonly feesLow: readonly string[]
  readonly reconciled: Reconciled | null
  readonly differences: Map<AccountId, Map<ContractId, BooksDiffer>>
}

/** All that a settlement machine knows. */
export interface SettlementState extends PlainState {
  readonly cosigning: Cosigning
  readonly flight: Flight | null
}

/** The batch on its way as it was made, not as it would be made today: transactions of it may be under way. Its trades are the queued ones. */
interface StoredFlight {
  readonly batch: Omit<Batch, 'trades'>
  readonly queued: readonly QueuedTrade[]
  readonly submissions: readonly Submission[]
}

interface StoredState extends PlainState {
  readonly version: number
  readonly cosigning: CosigningState
  readonly flight: StoredFlight | null
}

export function takeSnapshot({ cosigning, flight, ...plain }: SettlementState): Uint8Array {
  const stored: StoredState = {
    version: SNAPSHOT_VERSION,
    ...plain,
    cosigning: cosigning.state,
    flight: flight && storeFlight(flight),
  }
  return encode(stored)
}

/** @throws Error where the bytes are not a snapshot of this version */
export function readSnapshot(bytes: Uint8Array): SettlementState {
  const { version, cosigning, flight, ...plain } = decode<StoredState>(bytes)
  if (version > SNAPSHOT_VERSION || version < OLDEST_VERSION) throw new Error(`a settlement actor's snapshot of version ${version}; ${SNAPSHOT_VERSION} is known`)
  const reconciled = plain.reconciled && { ...plain.reconciled, unseen: plain.reconciled.unseen ?? 0 }
  return { ...plain, reconciled, epoch: plain.epoch ?? 1, cosigning: new Cosigning(cosigning), flight: flight && restoreFlight(flight) }
}

const storeFlight = ({ batch: { trades: _trades, ...batch }, queued, submissions }: Flight): StoredFlight => ({ batch, queued, submissions })

const restoreFlight = ({ batch, queued, submissions }: StoredFlight): Flight =>
  new Flight({ ...batch, trades: queued.map(({ trade }) => trade) }, queued, submissions)
