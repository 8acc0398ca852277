import type { AccountId, Milliseconds } from '../../protocol/identity.ts'
import { Deadlines } from '../deadlines.ts'

/** A key's timer as a vault actor has told it: over all orders of the account where the key is the account's own, otherwise over those that the key has placed. */
export interface Timer {
  readonly account: AccountId
  readonly signer: AccountId
  readonly deadline: Milliseconds
  /** Whether it has run out here. */
  readonly lapsed: boolean
}

/**
 * The timers that a market keeps, so that orders go in time whoever is away. One that has run out stays until the vault actor says otherwise: an order that was on
 * its way meanwhile is covered by it still.
 */
export class Timers {
  readonly #accounts = new Map<AccountId, Map<AccountId, Timer>>()
  readonly #running = new Deadlines<Timer>()

  constructor(timers: readonly Timer[] = []) {
    for (const timer of timers) this.#add(timer)
  }

  /** When the next one runs out, or null. */
  get deadline(): Milliseconds | null {
    return this.#running.first?.deadline ?? null
  }

  /** The next one that has run out by `time` and was not given yet. */
  lapse(time: Milliseconds): Timer | null {
    const first = this.#running.first
    if (first === undefined || first.deadline > time) return null
    this.set(first.account, first.signer, first.deadline, time)
    return first
  }

  /** The timer of a key runs until `deadline`; null: no longer. */
  set(account: AccountId, signer: AccountId, deadline: Milliseconds | null, time: Milliseconds): void {
    const keys = this.#accounts.get(account)
    const known = keys?.get(signer)
    if (known !== undefined) this.#running.delete(known)
    if (deadline !== null) return this.#add({ account, signer, deadline, lapsed: deadline <= time })
    keys?.delete(signer)
    if (keys?.size === 0) this.#accounts.delete(account)
  }

  /** Whether the time of an order that a key has placed is over. */
  over(account: AccountId, signer: AccountId): boolean {
    const keys = this.#accounts.get(account)
    return keys !== undefined && (keys.get(account)?.lapsed === true || keys.get(signer)?.lapsed === true)
  }

  /** All of them, by name. */
  list(): Timer[] {
    const byName = <Value>(map: ReadonlyMap<AccountId, Value>): Value[] => [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
    return byName(this.#accounts).flatMap(byName)
  }

  #add(timer: Timer): void {
    const keys = this.#accounts.get(timer.account) ?? new Map<AccountId, Timer>()
    this.#accounts.set(timer.account, keys.set(timer.signer, timer))
    if (!timer.lapsed) this.#running.put(timer)
  }
}
