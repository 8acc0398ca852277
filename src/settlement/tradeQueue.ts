import type { AccountId, Milliseconds } from '../protocol/identity.ts'
import type { Trade } from '../protocol/pair.ts'
import { sharedPages } from './pageChoice.ts'
import { pagesOf } from './tradePlace.ts'
import type { TradePlace } from './tradePlace.ts'

/** A trade and when this actor got it: age is by the actor's own clock, which never goes back, not by the market's. */
export interface QueuedTrade {
  readonly trade: Trade
  readonly arrived: Milliseconds
}

/** Bounds of one batch. */
export interface BatchBounds {
  readonly maxTrades: number
  readonly maxAccounts: number
  /** Pages of balances (docs/contract.md). */
  readonly maxPages: number
}

/** Where a trade's balances are; undefined while one of its accounts has no index. */
export type PlaceOf = (trade: Trade) => TradePlace | undefined

/** Taken trades are cut off the array once they are this many, so that taking is O(1) on average. */
const COMPACT_AT = 4_096
/** Trades from the head that are looked through for those that share pages. More find no more: the later ones mostly wait for one that is passed over. */
const LOOKED_THROUGH = 2_048

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

  /** Takes the longest run from the head that keeps to the bounds and to accounts that have an index. */
  take(bounds: BatchBounds, placeOf: PlaceOf): QueuedTrade[] {
    return this.#cut(this.#run(bounds, placeOf).trades)
  }

  /**
   * Takes the longest run from the head or, where its pages end it and more trades share as many pages, those: the first trade always, the others in their order. None that spends what
   * one that is passed over brings, so that the chain takes them where it would take the run. What is passed over keeps its order.
   */
  takeSharing(bounds: BatchBounds, placeOf: PlaceOf): QueuedTrade[] {
    const run = this.#run(bounds, placeOf)
    if (!run.pagesFull) return this.#cut(run.trades)
    const sharing = this.#sharing(bounds, placeOf)
    return this.#cut(sharing.length > run.trades.length ? sharing : run.trades)
  }

  #run(bounds: BatchBounds, placeOf: PlaceOf): { readonly trades: number[]; readonly pagesFull: boolean } {
    const load = new Load(bounds)
    const trades: number[] = []
    for (let n = this.#head; n < this.#trades.length && trades.length < bounds.maxTrades; n++) {
      const { trade } = this.#trades[n] as QueuedTrade
      const place = placeOf(trade)
      if (place === undefined) break
      if (!load.add(trade, pagesOf(place))) return { trades, pagesFull: load.pagesFull }
      trades.push(n)
    }
    return { trades, pagesFull: false }
  }

  #sharing(bounds: BatchBounds, placeOf: PlaceOf): number[] {
    const places: TradePlace[] = []
    for (let n = this.#head; n < this.#trades.length && places.length < LOOKED_THROUGH; n++) {
      const place = placeOf((this.#trades[n] as QueuedTrade).trade)
      if (place === undefined) break
      places.push(place)
    }
    const load = new Load(bounds, sharedPages(places, bounds.maxPages))
    const trades: number[] = []
    /** Balances that a trade which is passed over adds to. */
    const awaited = new Set<number>()
    for (const [n, place] of places.entries()) {
      if (trades.length >= bounds.maxTrades) break
      const { trade } = this.#trades[this.#head + n] as QueuedTrade
      if (place.debits.some((balance) => awaited.has(balance)) || !load.add(trade, pagesOf(place))) for (const balance of place.credits) awaited.add(balance)
      else trades.push(this.#head + n)
    }
    return trades
  }

  /** Takes trades out, by rising place; what is between them moves up to the rest. */
  #cut(places: readonly number[]): QueuedTrade[] {
    const taken = places.map((place) => this.#trades[place] as QueuedTrade)
    for (const { trade } of taken) this.#count(trade, -1)
    const last = places.at(-1)
    if (last === undefined) return taken
    let [to, next] = [last, places.length - 1]
    for (let from = last; from >= this.#head; from--) {
      if (from === places[next]) next--
      else this.#trades[to--] = this.#trades[from] as QueuedTrade
    }
    this.#head = to + 1
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

/** Accounts and pages of a batch that is being filled. */
class Load {
  readonly #bounds: BatchBounds
  readonly #accounts = new Set<AccountId>()
  readonly #pages: Set<number>
  /** Whether a trade did not fit because of its pages. */
  pagesFull = false

  /** @param pages that it has room for anyway */
  constructor(bounds: BatchBounds, pages = new Set<number>()) {
    this.#bounds = bounds
    this.#pages = pages
  }

  /** @returns false, and nothing changes, where the trade does not fit */
  add({ buyer, seller }: Trade, pages: readonly number[]): boolean {
    const { maxAccounts, maxPages } = this.#bounds
    const accounts = (this.#accounts.has(buyer) ? 0 : 1) + (seller === buyer || this.#accounts.has(seller) ? 0 : 1)
    if (this.#accounts.size + accounts > maxAccounts) return false
    const added = new Set(pages.filter((page) => !this.#pages.has(page)))
    if (this.#pages.size + added.size > maxPages) {
      this.pagesFull = true
      return false
    }
    this.#accounts.add(buyer).add(seller)
    for (const page of added) this.#pages.add(page)
    return true
  }
}
