import type { Random } from './random.ts'

/** How often what goes wrong, by the seed. Chances are for each message, call or append; spans are the mean time between two. */
export interface FaultPlan {
  /** Of each message between hosts. */
  readonly network: { readonly lost: number; readonly doubled: number; readonly late: number; readonly reordered: number }
  /** Of each append. */
  readonly append: { readonly requestLost: number; readonly answerLost: number; readonly late: number; readonly busy: number; readonly refused: number; readonly slow: number }
  /** Of each reading of a journal. */
  readonly replay: { readonly failed: number; readonly damaged: number }
  /** Of everybody who calls on the store of snapshots, and of each piece that is read. */
  readonly snapshot: { readonly failedBefore: number; readonly failedAfter: number; readonly damaged: number }
  /** Of each burst of feed messages. */
  readonly feed: { readonly lost: number; readonly partly: number; readonly answerLost: number; readonly late: number }
  /** Of each call to a Stellar RPC server. */
  readonly rpc: { readonly failedBefore: number; readonly failedAfter: number; readonly slow: number; readonly lagging: number }
  /** Of each call to the one of three servers that lies. */
  readonly lying: number
  /** Of each transaction. */
  readonly chain: { readonly dropped: number; readonly late: number }
  /** Mean spans, in milliseconds of simulated time; Infinity where it does not happen. */
  readonly every_ms: Readonly<Record<Disturbance, number>>
}

/** What is not tied to one call. */
export type Disturbance = 'crash' | 'drain' | 'snapshot' | 'halt' | 'pause' | 'secondOwner' | 'partition' | 'clockJump' | 'slowDisk' | 'fullStream' | 'gatewayCrash'

/**
 * Each seed has some faults and not others, at rates of its own: a run in which everything fails all the time explores less than many that
 * differ.
 */
export function planOf(random: Random): FaultPlan {
  const absent = random.pick([0.2, 0.5, 0.8])
  const rate = (...rates: readonly number[]): number => (random.chance(absent) ? 0 : random.pick(rates))
  const span = (...spans: readonly number[]): number => (random.chance(absent) ? Infinity : random.pick(spans))
  return {
    network: { lost: rate(0.002, 0.01, 0.05), doubled: rate(0.002, 0.01, 0.05), late: rate(0.001, 0.01), reordered: rate(0.01, 0.1) },
    append: { requestLost: rate(0.002, 0.01), answerLost: rate(0.002, 0.01), late: rate(0.002, 0.01), busy: rate(0.002, 0.02), refused: rate(0.0005, 0.002), slow: rate(0.005, 0.02) },
    replay: { failed: rate(0.05, 0.2), damaged: rate(0.1, 0.3) },
    snapshot: { failedBefore: rate(0.05, 0.2), failedAfter: rate(0.05, 0.2), damaged: rate(0.02, 0.1) },
    feed: { lost: rate(0.01, 0.05), partly: rate(0.01, 0.05), answerLost: rate(0.01, 0.05), late: rate(0.01, 0.05) },
    rpc: { failedBefore: rate(0.02, 0.2), failedAfter: rate(0.02, 0.2), slow: rate(0.02, 0.1), lagging: rate(0.02, 0.1) },
    lying: random.fork('lying').pick([0, 0.05, 0.5]),
    chain: { dropped: rate(0.05, 0.3), late: rate(0.05, 0.3) },
    every_ms: {
      crash: span(300, 1_000, 3_000),
      drain: span(500, 2_000),
      // No fault, but work: without it every owner would read all of its journal.
      snapshot: random.pick([100, 300, 1_000]),
      halt: span(500, 2_000),
      pause: span(500, 2_000),
      secondOwner: span(500, 2_000),
      partition: span(500, 2_000),
      clockJump: span(300, 1_500),
      slowDisk: span(800, 3_000),
      fullStream: span(800, 3_000),
      gatewayCrash: span(300, 1_500),
    },
  }
}

/** Nothing goes wrong: how a run ends. */
export const calm: FaultPlan = {
  network: { lost: 0, doubled: 0, late: 0, reordered: 0 },
  append: { requestLost: 0, answerLost: 0, late: 0, busy: 0, refused: 0, slow: 0 },
  replay: { failed: 0, damaged: 0 },
  snapshot: { failedBefore: 0, failedAfter: 0, damaged: 0 },
  feed: { lost: 0, partly: 0, answerLost: 0, late: 0 },
  rpc: { failedBefore: 0, failedAfter: 0, slow: 0, lagging: 0 },
  lying: 0,
  chain: { dropped: 0, late: 0 },
  every_ms: { crash: Infinity, drain: Infinity, snapshot: Infinity, halt: Infinity, pause: Infinity, secondOwner: Infinity, partition: Infinity, clockJump: Infinity, slowDisk: Infinity, fullStream: Infinity, gatewayCrash: Infinity },
}

/** What has gone wrong so far, by name: a run that met nothing proves nothing. */
export class FaultCount {
  readonly #counts = new Map<string, number>()

  add(fault: string): void {
    this.#counts.set(fault, (this.#counts.get(fault) ?? 0) + 1)
  }

  get all(): ReadonlyMap<string, number> {
    return this.#counts
  }
}
