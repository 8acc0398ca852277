import { decode, encode } from '../protocol/codec.ts'
import type { AccountId } from '../protocol/identity.ts'
import type { WatcherStatus } from './watcherStatus.ts'

/** Raised whenever what is stored changes; older ones are refused, or brought up to date here. */
const SNAPSHOT_VERSION = 2

/** All that a watcher machine knows. */
export interface WatcherState {
  /** The contract's index of each account. */
  readonly accounts: Map<AccountId, number>
  readonly cursor: string | null
  readonly ledger: number
  readonly gap: WatcherStatus['gap']
  readonly disagreeing: readonly string[]
}

export const takeSnapshot = (state: WatcherState): Uint8Array => encode({ version: SNAPSHOT_VERSION, ...state })

/** @throws Error where the bytes are not a snapshot of this version */
export function readSnapshot(bytes: Uint8Array): WatcherState {
  const { version, ...state } = decode<WatcherState & { readonly version: number }>(bytes)
  if (version !== SNAPSHOT_VERSION) throw new Error(`a watcher's snapshot of version ${version}; ${SNAPSHOT_VERSION} is known`)
  return state
}
