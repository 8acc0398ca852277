/** A record, and where it stands: a number that rises with each record of one journal, not by one. */
export interface JournalEntry {
  readonly position: number
  readonly record: Uint8Array
}

/** An actor's journal: its records in order, written by one owner at a time. Bytes only; what they mean is record.ts's. */
export interface Journal {
  /**
   * Everything that was appended and this journal has not given or appended itself, oldest first. Called before the first append; the first
   * time it may begin behind an entry that is known from a snapshot.
   * @throws JournalFault where the journal ends before `after`
   */
  replay(after?: number): AsyncIterable<JournalEntry>
  /**
   * Resolves once the record is durable as the successor of the one appended or replayed before. One at a time. While the store is away it
   * waits; an outcome in doubt is settled by reading before it resolves.
   * @throws Fenced where somebody else has appended: the caller is no longer the owner
   * @throws Error where the store refuses for good
   */
  append(record: Uint8Array): Promise<void>
  /** Lets go what stands before the entry at `position`. That entry stays, and so there is always a last one to append behind. */
  forget(position: number): Promise<void>
}

/** Another owner has written to this journal. Whoever sees this stops, and drops what it has not promised. */
export class Fenced extends Error {
  constructor(subject: string) {
    super(`${subject} has another writer`)
    this.name = 'Fenced'
  }
}
