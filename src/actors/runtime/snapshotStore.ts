/** A snapshot as its store lists it, finished or not. */
export interface StoredSnapshot {
  /** Names sort by age: older ones first. */
  readonly name: string
  /** How many pieces are there. */
  readonly pieces: number
}

/**
 * Where one actor's snapshots are kept: named rows of pieces, bytes only; what they mean is snapshot.ts's. A writer that dies leaves an
 * unfinished row, which its successor removes.
 */
export interface SnapshotStore {
  list(): Promise<readonly StoredSnapshot[]>
  /** The piece that was appended last, or null where there is none. */
  last(name: string): Promise<Uint8Array | null>
  /**
   * Every piece in order, `pieces` of them.
   * @throws Error where they do not come
   */
  read(name: string, pieces: number): AsyncIterable<Uint8Array>
  /** Resolves once the piece is durable behind the others of its row. */
  append(name: string, piece: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
}
