import type { Violation } from './violation.ts'

/** What a run came to, or has come to so far. */
export interface Result {
  readonly seed: number
  readonly steps: number
  readonly violation: Violation | null
  /** The step in which it was found. */
  readonly step: number
  /** Same seed, same steps, same hash. */
  readonly hash: string
  /** The last events before the end. */
  readonly last: readonly string[]
  /** Signed messages of traders. */
  readonly messages: number
  /** What actors applied: traders' commands, other actors' messages and their drivers' inputs. Replays are not counted. */
  readonly commands: number
  readonly trades: number
  /** Deadlines of timers that traders were told of, and orders that timers took back. */
  readonly timers: { readonly told: number; readonly takenBack: number }
  readonly faults: ReadonlyMap<string, number>
  /** What users did without the engine: exits that the contract was asked for, and those that it paid. */
  readonly exits: { readonly asked: number; readonly paid: number }
  /** Ledgers at which the contract's balances were read to hold the books against them. */
  readonly reconciled: number
  /** Simulated time, in milliseconds. */
  readonly simulated_ms: number
}
