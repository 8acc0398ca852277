import type { AccountId, Milliseconds } from '../protocol/identity.ts'
import type { Trade } from '../protocol/pair.ts'

/** A trade and when this actor got it: age is by the actor's own clock, which never goes back, not by the market's. */
export interface QueuedTrade {
  readonly trade: Trade
  readonly arrived: Milliseconds
}

/** Bounds of one batch. */
export interface BatchBounds {
  readonly maxTrades: number
  readonly maxAccounts: number
}

/** Taken trades are cut off the array once they are this many, so that taking is O(1) on average. */
const COMPACT_AT = 4_096

/** Trades that wait for a batch, in order of arrival, with the number of distinct accounts among them. */
export class TradeQueue {
  #trades: QueuedTrade[] = []
  #head = 0
  /** In how many sides of waiting trades an account stands. */
  readonly #sides = new Map<AccountId, number>()

  get size(): number {
    return this.#trades.length - this.#head
  }

  get accounts(): number {
    return this.#sides.size
  }

  get first(): QueuedTrade | undefined {
    return this.#trades[this.#head]
  }

  /** All that wait, in order. */
  get waiting(): readonly QueuedTrade[] {
    return this.#trades.slice(this.#head)
  }

  push(queued: QueuedTrade): void {
    this.#trades.push(queued)
    this.#count(queued.trade, 1)
  }

  /** Puts trades back before all others, in their old order. */
  restore(queued: readonly QueuedTrade[]): void {
    this.#trades = [...queued, ...this.#trades.slice(this.#head)]
    this.#head = 0
    for (const { trade } of queued) this.#count(trade, 1)
  }

  /**
   * Takes the longest run from the head that keeps to the bounds and to accounts that are `known`. Never skips a trade: a later one may
   * spend what an earlier one brings.
   */
  take(bounds: BatchBounds, known: (account: AccountId) => boolean): QueuedTrade[] {
    const accounts = new Set<AccountId>()
    let end = this.#head
    for (; end < this.#trades.length && end - this.#head < bounds.maxTrades; end++) {
      const { buyer, seller } = (this.#trades[end] as QueuedTrade).trade
      if (!known(buyer) || !known(seller)) break
      const added = (accounts.has(buyer) ? 0 : 1) + (seller === buyer || accounts.has(seller) ? 0 : 1)
      if (accounts.size + added > bounds.maxAccounts) break
      accounts.add(buyer).add(seller)
    }
    const taken = this.#trades.slice(this.#head, end)
    this.#head = end
    for (const { trade } of taken) this.#count(trade, -1)
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#trades.length) {
      this.#trades = this.#trades.slice(this.#head)
      this.#head = 0
    }
    return taken
  }

  #count({ buyer, seller }: Trade, by: 1 | -1): void {
    for (const account of [buyer, seller]) {
      const sides = (this.#sides.get(account) ?? 0) + by
      if (sides < 0) throw new Error('the trade queue counts fewer than no trades of an account')
      if (sides === 0) this.#sides.delete(account)
      else this.#sides.set(account, sides)
    }
  }
}
