/** One key as it stands: its value and the revision to name when it is changed. */
export interface Entry {
  /** Null where the key was deleted or has lapsed, and that is still known. */
  readonly value: string | null
  readonly revision: number
}

/** The value of a key, or null where it has none. */
export const valueOf = (entry: Entry | undefined): string | null => entry?.value ?? null

/** What placement needs of a store: all of it at one look, and writes that fail where somebody else was first. */
export interface PlacementStore {
  /** @throws Error where the store does not answer */
  read(): Promise<ReadonlyMap<string, Entry>>
  /**
   * Writes a key that stands at revision `after` (0: not there); null deletes it. It lapses after `ttl_s` seconds, where that is given.
   * The new revision, or null where the key was changed meanwhile.
   * @throws Error where the store does not answer: the outcome is then unknown
   */
  write(key: string, value: string | null, after: number, ttl_s: number | null): Promise<number | null>
}
