import { readHolder } from './keys.ts'
import type { Holder } from './keys.ts'
import { valueOf } from './store.ts'
import type { Entry, PlacementStore } from './store.ts'

/** A lease lapses so long after its last renewal. */
export const lease_s = 3
/** How often it is renewed: two renewals may fail. */
const renewal_ms = 900

/** `held`: ours. `lost`: somebody else's. `unknown`: the store does not answer; the journal's fence is what protects then. */
export type Renewed = 'held' | 'lost' | 'unknown'

/**
 * The word that one holder may act, kept alive by renewing it. It says who should; that nobody else can is not its matter but the journal's,
 * whose appends name their predecessor.
 */
export class Lease {
  readonly #store: PlacementStore
  readonly #key: string
  readonly #value: string
  #revision: number
  #renewedAt_ms: number
  /** The write under way: giving back must name the revision that it leads to. */
  #writing: Promise<unknown> = Promise.resolve()
  #released = false

  private constructor(store: PlacementStore, key: string, value: string, revision: number, now_ms: number) {
    this.#store = store
    this.#key = key
    this.#value = value
    this.#revision = revision
    this.#renewedAt_ms = now_ms
  }

  /**
   * Takes the lease where it is free, as `seen` shows it. What a node that `isGone` left is free without waiting until it lapses, and so is what an
   * earlier life of this node left: should somebody be alive after all, the journal refuses his next append.
   * @returns null where another node holds it, or somebody was faster
   */
  static async take(store: PlacementStore, key: string, holder: Holder, seen: Entry | undefined, now_ms: number, isGone: (node: string) => boolean): Promise<Lease | null> {
    const other = readHolder(seen)
    if (other !== null && other.node !== holder.node && !isGone(other.node)) return null
    const value = JSON.stringify(holder)
    const revision = await store.write(key, value, seen?.revision ?? 0, lease_s)
    return revision === null ? null : new Lease(store, key, value, revision, now_ms)
  }

  /** Keeps it, by a look at the store that was made just before: what `seen` shows may be older than our own last renewal. */
  async renew(seen: Entry | undefined, now_ms: number): Promise<Renewed> {
    if (this.#released) return 'held'
    // It lapsed while the store was away, and nobody has taken it.
    const lapsed = valueOf(seen) === null && (seen === undefined || seen.revision > this.#revision)
    if (!lapsed && seen?.value !== this.#value && (seen?.revision ?? 0) > this.#revision) return 'lost'
    if (!lapsed && now_ms - this.#renewedAt_ms < renewal_ms) return 'held'
    // A renewal whose answer was lost has moved our revision on.
    const ours = seen?.value === this.#value ? Math.max(seen.revision, this.#revision) : this.#revision
    try {
      const writing = this.#store.write(this.#key, this.#value, lapsed ? (seen?.revision ?? 0) : ours, lease_s)
      this.#writing = writing.catch(() => null)
      const revision = await writing
      // Refused: the next look says by whom.
      if (revision === null) return 'unknown'
      this.#revision = revision
      this.#renewedAt_ms = now_ms
      return 'held'
    } catch {
      // No answer: whether it is renewed shows at the next look.
      return 'unknown'
    }
  }

  /** Gives it back: the next holder need not wait. */
  async release(): Promise<void> {
    this.#released = true
    await this.#writing
    // The revision is set in the turn after the write: wait for that as well.
    await Promise.resolve()
    await this.#store.write(this.#key, null, this.#revision, lease_s)
  }
}
