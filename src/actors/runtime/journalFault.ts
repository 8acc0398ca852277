/** What can be wrong with what an actor's memory was kept in. */
export type FaultKind =
  /** Shorter or longer than it says, or not of a form that is known. */
  | 'torn'
  /** Not the bytes that were written. */
  | 'damaged'
  /** Written by a version of this program that is not known here. */
  | 'unknown_version'
  /** A record is missing, doubled, or stands in another's place. */
  | 'out_of_order'
  /** Applying a record has other effects than it had when it was written. */
  | 'diverged'
  /** Sealed with another key. */
  | 'wrong_key'
  /** Sealed, and there is no key. */
  | 'sealed'
  /** Not sealed, where everything must be: anybody with access to the store could have written it. */
  | 'unsealed'
  /** The first records are gone, and no snapshot reaches where the rest begins. */
  | 'beginning_missing'
  /** The journal ends before a snapshot that was made from it. */
  | 'end_missing'

/** A fault as it travels between threads. */
export interface FoundFault {
  readonly kind: FaultKind
  readonly record: number | null
  readonly what: string
}

/** An actor cannot be made from its journal. It stays down until somebody has looked; other actors are not touched. */
export class JournalFault extends Error {
  readonly kind: FaultKind
  /** The record at fault, where one is. */
  readonly record: number | null
  /** What was found and what was expected, never what stands in a record. */
  readonly what: string

  constructor(kind: FaultKind, record: number | null, what: string, cause?: unknown) {
    super(`${record === null ? 'journal' : `journal record ${record}`}: ${what}`, cause === undefined ? undefined : { cause })
    this.name = 'JournalFault'
    this.kind = kind
    this.record = record
    this.what = what
  }

  /** The same of one record: whoever unwraps bytes cannot trust what they say of their own number. */
  of(record: number): JournalFault {
    return new JournalFault(this.kind, record, this.what, this.cause)
  }
}
