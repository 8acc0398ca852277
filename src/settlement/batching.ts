import type { Milliseconds } from '../protocol/identity.ts'
import { limits } from '../protocol/limits.ts'
import type { BatchFault, Refused } from './settlementLocal.ts'
import { pagesOf } from './tradePlace.ts'
import { TradeQueue } from './tradeQueue.ts'
import type { PlaceOf, QueuedTrade } from './tradeQueue.ts'

export interface BatchingOptions {
  readonly maxAge_ms: number
  readonly maxAccounts: number
  readonly maxTrades: number
  /** Trades that may wait before markets are held up; `limits.unsettledTrades` unless given. */
  readonly maxQueued?: number
  /** When trades at fault are looked for, and for how long they are set aside at first; a test makes both small. */
  readonly faults?: { readonly afterRefusals: number; readonly aside_ms: number }
}

/** All of it that outlives a process. */
export interface BatchingState {
  /** In order. */
  readonly waiting: readonly QueuedTrade[]
  readonly refusals: number
  readonly lastRefusal: string | null
  readonly retryAt: Milliseconds
  readonly tradeCap: number
  readonly pageCap: number
  /** In their old order. */
  readonly aside: readonly QueuedTrade[]
  readonly asideUntil: Milliseconds
  readonly asideTimes: number
}

/** What the network carries at most in one batch, whatever the configuration says. */
const MOST_TRADES = 100_000
const MOST_ACCOUNTS = 1_900
/** Full pages of balances: a transaction may write 132,096 bytes, and each of these takes about 2,130 with its key. */
const MOST_PAGES = 60
/** A trade between accounts in two pages, of assets in two groups. */
const PAGES_OF_ONE_TRADE = 4
/** Delay after a refusal: doubled with each in a row. */
const RETRY_FIRST_MS = 250
const RETRY_LONGEST_MS = 60_000
/** Refusals in a row, about a minute, after which the trades at fault are looked for: a trade that others wait for has had the time to come. */
const FAULTS = { afterRefusals: 8, aside_ms: 60_000 }
/** Trades set aside are tried again after twice the time each time, up to this. */
const ASIDE_LONGEST_MS = 3_600_000

/** Which trades make the next batch, and when: those that wait, those that were set aside, and what the chain's refusals have taught. */
export class Batching {
  readonly #options: BatchingOptions
  readonly #placeOf: PlaceOf
  readonly #faults: NonNullable<BatchingOptions['faults']>
  readonly #queue = new TradeQueue()
  #refusals = 0
  #lastRefusal: string | null = null
  #retryAt = 0 as Milliseconds
  /** Trades in a batch at most, lowered while batches turn out larger than the network takes. */
  #tradeCap = MOST_TRADES
  /** Pages of balances in a batch at most, lowered likewise. */
  #pageCap = MOST_PAGES
  /** Trades that the chain did not take whatever came before them: the others settle without them. */
  #aside: readonly QueuedTrade[] = []
  #asideUntil = 0 as Milliseconds
  /** How often in a row trades were set aside. */
  #asideTimes = 0

  /** @param placeOf where a trade's balances are: a trade without a place waits, and what is behind it */
  constructor(options: BatchingOptions, placeOf: PlaceOf, state?: BatchingState) {
    this.#options = options
    this.#placeOf = placeOf
    this.#faults = options.faults ?? FAULTS
    if (state === undefined) return
    for (const queued of state.waiting) this.#queue.push(queued)
    this.#refusals = state.refusals
    this.#lastRefusal = state.lastRefusal
    this.#retryAt = state.retryAt
    this.#tradeCap = state.tradeCap
    this.#pageCap = state.pageCap
    this.#aside = state.aside
    this.#asideUntil = state.asideUntil
    this.#asideTimes = state.asideTimes
  }

  get state(): BatchingState {
    return {
      waiting: this.#queue.waiting,
      refusals: this.#refusals,
      lastRefusal: this.#lastRefusal,
      retryAt: this.#retryAt,
      tradeCap: this.#tradeCap,
      pageCap: this.#pageCap,
      aside: this.#aside,
      asideUntil: this.#asideUntil,
      asideTimes: this.#asideTimes,
    }
  }

  /** Trades that wait for a batch. */
  get queued(): number {
    return this.#queue.size
  }

  get first(): QueuedTrade | undefined {
    return this.#queue.first
  }

  get aside(): readonly QueuedTrade[] {
    return this.#aside
  }

  /** In a row. */
  get refusals(): number {
    return this.#refusals
  }

  get lastRefusal(): string | null {
    return this.#lastRefusal
  }

  /** Whether the trades at fault are to be looked for, should the chain not take the batch. Once some were found, the next are looked for at once: each costs the others its wait. */
  get search(): boolean {
    return this.#asideTimes > 0 || this.#refusals >= this.#faults.afterRefusals
  }

  get hasRoom(): boolean {
    return this.#queue.size + this.#aside.length < (this.#options.maxQueued ?? limits.unsettledTrades)
  }

  /** Whether the oldest trade waits for an account's index, and not for time. */
  get blocked(): boolean {
    const { first } = this
    return first !== undefined && this.#placeOf(first.trade) === undefined
  }

  push(queued: QueuedTrade): void {
    this.#queue.push(queued)
  }

  /** What was set aside for long enough is among the others again, before them. */
  advance(time: Milliseconds): void {
    if (this.#aside.length === 0 || this.#asideUntil > time) return
    this.#queue.restore(this.#aside)
    this.#aside = []
  }

  /** When the next batch is to be formed; null where nothing but a message changes that. */
  due(): Milliseconds | null {
    const { first } = this
    if (first === undefined || this.blocked) return null
    const { maxAccounts, maxTrades, maxAge_ms } = this.#options
    const full = this.#queue.size >= maxTrades || this.#queue.accounts >= maxAccounts
    return Math.max(full ? first.arrived : first.arrived + maxAge_ms, this.#retryAt) as Milliseconds
  }

  /** When there is something to do while no batch is on its way. */
  deadline(): Milliseconds | null {
    const [batch, aside] = [this.due(), this.#aside.length > 0 ? this.#asideUntil : null]
    return batch === null || (aside !== null && aside < batch) ? aside : batch
  }

  /** The trades of the next batch, which is due. */
  take(): QueuedTrade[] {
    const { maxTrades, maxAccounts } = this.#options
    // After a refusal the trade that the others wait for may stand behind the configured bounds: take more each time.
    const growth = 2 ** Math.min(this.#refusals, 20)
    const bounds = {
      maxTrades: Math.min(maxTrades * growth, this.#tradeCap, MOST_TRADES),
      maxAccounts: Math.min(maxAccounts * growth, MOST_ACCOUNTS),
      maxPages: this.#pageCap,
    }
    // What the others wait for may be among those that are passed over.
    return this.#refusals === 0 ? this.#queue.takeSharing(bounds, this.#placeOf) : this.#queue.take(bounds, this.#placeOf)
  }

  /** The chain has taken a batch. */
  settled(): void {
    this.#refusals = 0
    this.#lastRefusal = null
    this.#retryAt = 0 as Milliseconds
    this.#tradeCap = Math.min(this.#tradeCap * 2, MOST_TRADES)
    this.#pageCap = Math.min(this.#pageCap * 2, MOST_PAGES)
    if (this.#aside.length === 0) this.#asideTimes = 0
  }

  /** The chain does not take a batch of these: they come back, and the next one is another. */
  refused(queued: readonly QueuedTrade[], { reason, tooLarge, fault }: Pick<Refused, 'reason' | 'tooLarge' | 'fault'>, time: Milliseconds): void {
    if (fault !== null) this.#setAside(queued, fault, time)
    else this.#queue.restore(queued)
    this.#lastRefusal = reason
    if (tooLarge && queued.length > 1) {
      // Half of it at once: there is nothing to wait for, and nothing is wrong with the trades.
      this.#tradeCap = Math.floor(queued.length / 2)
      this.#pageCap = Math.max(Math.floor(this.#pages(queued) / 2), PAGES_OF_ONE_TRADE)
      this.#retryAt = time
      return
    }
    this.#refusals++
    // Where it is known what is at fault, the others have been held up for long enough.
    const wait_ms = fault === null ? Math.min(RETRY_FIRST_MS * 2 ** Math.min(this.#refusals - 1, 20), RETRY_LONGEST_MS) : 0
    this.#retryAt = (time + wait_ms) as Milliseconds
  }

  /** Takes out what is at fault; the next batch is what the chain was found to take of the others, and no more. */
  #setAside(queued: readonly QueuedTrade[], { aside, takes }: BatchFault, time: Milliseconds): void {
    const out = new Set(aside)
    this.#queue.restore(queued.filter((_trade, place) => !out.has(place)))
    this.#aside = [...this.#aside, ...queued.filter((_trade, place) => out.has(place))]
    this.#asideUntil = (time + Math.min(this.#faults.aside_ms * 2 ** Math.min(this.#asideTimes, 20), ASIDE_LONGEST_MS)) as Milliseconds
    this.#asideTimes++
    if (takes > 0) this.#tradeCap = takes
  }

  #pages(queued: readonly QueuedTrade[]): number {
    return new Set(queued.flatMap(({ trade }) => {
      const place = this.#placeOf(trade)
      return place === undefined ? [] : pagesOf(place)
    })).size
  }
}
