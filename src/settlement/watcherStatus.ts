/** What the watcher machine may be asked. */
export type WatcherQuery = { readonly kind: 'status' }

export interface WatcherStatus {
  readonly cursor: string | null
  /** Every event up to and including this ledger is reported. */
  readonly ledger: number
  readonly accounts: number
  /** Ledgers that no RPC could show: the watcher stands until one can. null while all is well. */
  readonly gap: { readonly needed: number; readonly oldest: number } | null
  /** RPC endpoints that contradict the others, by host. */
  readonly disagreeing: readonly string[]
}
