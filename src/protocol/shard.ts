import type { ActorName, Milliseconds } from './identity.ts'

/** What an operator has a shard do. */
export type ShardCommand =
  /** Takes a snapshot of an actor that runs there, now. Answered with TakenSnapshot. */
  | { readonly kind: 'snapshot'; readonly actor: ActorName }
  /** Shows its metrics, at most as old as a page of them lasts. Answered with Readings[] (src/monitoring/meters.ts). */
  | { readonly kind: 'metrics' }

export interface TakenSnapshot {
  /** The record of the newest snapshot now, which is the last one of the journal. */
  readonly record: number
  readonly bytes: number
  /** The newest before, and the time of its record; the same record where nothing has happened since, and nothing was written. */
  readonly former: { readonly record: number; readonly time: Milliseconds } | null
}
