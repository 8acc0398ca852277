/** How much may be done at once, and in how many seconds as much comes back: evenly, not all at the end. */
export interface Rate {
  readonly quota: number
  readonly window_s: number
}

/**
 * Token buckets by key, each kept as one number: the time at which it will be full again (the generic cell rate algorithm of ITU-T I.371). A bucket that is
 * full is the same as one that was never used, so it is forgotten; that bounds memory without ever forgiving anybody. Keys beyond the capacity share one
 * bucket until others are full again: who is known keeps its own.
 */
export class Buckets {
  readonly #each_ms: number
  readonly #depth_ms: number
  readonly #capacity: number
  readonly #full = new Map<string, number>()
  #sharedFull = 0
  #swept = 0

  constructor({ quota, window_s }: Rate, capacity: number) {
    if (!(quota >= 1 && window_s > 0 && capacity >= 1)) throw new Error('a rate needs a quota, a window and a capacity')
    this.#each_ms = (window_s * 1_000) / quota
    this.#depth_ms = window_s * 1_000
    this.#capacity = capacity
  }

  /**
   * Takes `count` out of the key's bucket, or nothing where there is not as much.
   * @param now_ms of a clock that never goes back
   * @returns milliseconds until the bucket is full again; where there was not enough, less than zero: how long until there is
   */
  take(key: string, now_ms: number, count = 1): number {
    const known = this.#full.get(key)
    const own = known !== undefined || this.#hasRoom(now_ms)
    const full = Math.max(own ? (known ?? 0) : this.#sharedFull, now_ms) + count * this.#each_ms
    const missing = full - now_ms - this.#depth_ms
    // What is computed from the same numbers twice may differ in the last place: nobody waits for that.
    if (missing > 1e-6) return -missing
    if (own) this.#full.set(key, full)
    else this.#sharedFull = full
    return full - now_ms
  }

  /** What `take` would return, without taking. */
  peek(key: string, now_ms: number): number {
    const known = this.#full.get(key) ?? (this.#full.size < this.#capacity ? 0 : this.#sharedFull)
    const full = Math.max(known, now_ms) + this.#each_ms
    const missing = full - now_ms - this.#depth_ms
    return missing > 1e-6 ? -missing : full - now_ms
  }

  /** How many are left in a bucket that is full again after so many milliseconds. */
  left(fullIn_ms: number): number {
    return Math.max(0, Math.floor((this.#depth_ms - fullIn_ms) / this.#each_ms + 1e-6))
  }

  get size(): number {
    return this.#full.size
  }

  #hasRoom(now_ms: number): boolean {
    if (this.#full.size < this.#capacity) return true
    // Looking at all of them costs about a millisecond, so not at every request of somebody unknown.
    if (now_ms - this.#swept < 1_000) return false
    this.#swept = now_ms
    for (const [key, full] of this.#full) if (full <= now_ms) this.#full.delete(key)
    return this.#full.size < this.#capacity
  }
}
