import type { ActorName } from '../../src/protocol/identity.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import type { Bounds } from '../machines.ts'

/** An actor as it is at one moment, with the records of its journal since the last time: bytes and numbers, so that it can be handed to another thread. */
export interface Comparison {
  readonly actor: ActorName
  /** Name of the host that owns it. */
  readonly owner: string
  /** What the clock says where it is replayed, which is another one than the owner's. */
  readonly now_ms: number
  /** One behind the other. */
  readonly records: Uint8Array<ArrayBuffer>
  readonly lengths: Uint32Array<ArrayBuffer>
  /** Of what each caused when it was written (digestOfCaused). */
  readonly caused: Uint32Array<ArrayBuffer>
  /** The live machine's snapshot. */
  readonly state: Uint8Array
}

/** Whoever compares. The same comparisons in the same order get the same answers, wherever they are made. */
export interface Comparer {
  /** What is wrong, or null. */
  compare(comparison: Comparison): Promise<string | null> | string | null
}

/** A run whose journals are to be replayed, as another thread is told of it. */
export interface ReplayedRun {
  readonly seed: number
  readonly file: VenueFile
  readonly secret: Uint8Array | null
  readonly bounds: Bounds
  /** By name. */
  readonly defect: string | null
}

/** Whoever replays the journals of one run after another. */
export interface Replaying {
  begin(run: ReplayedRun): Comparer
}

/** What goes to the thread, and what comes back: one answer for each comparison, in their order. */
export type ToThread = { readonly run: ReplayedRun } | { readonly comparison: Comparison }
export interface FromThread {
  readonly fault: string | null
}
