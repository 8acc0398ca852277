import { cpuSeconds, threadSeconds } from '../cpu.ts'
import { runLoad } from '../load.ts'
import type { LoadPlan, LoadResult } from '../load/plan.ts'
import { report } from '../report.ts'
import { signOrders } from '../signedOrders.ts'
import type { LocalVenue } from '../../scripts/venue/localVenue.ts'
import type { LocalTrader } from '../../scripts/venue/trader.ts'

/** What is measured beside the venue. */
export interface Peer {
  readonly name: string
  readonly pid: number | undefined
}

export type MarketNames = readonly (readonly [string, string])[]

/** A venue that runs, with its traders, and how much of each case is wanted of it. */
export class Stage {
  readonly venue: LocalVenue
  readonly traders: readonly LocalTrader[]
  readonly #markets: MarketNames
  readonly #scale: number

  constructor(venue: LocalVenue, traders: readonly LocalTrader[], markets: MarketNames, scale: number) {
    this.venue = venue
    this.traders = traders
    this.#markets = markets
    this.#scale = scale
  }

  /** So much of a number of requests as is wanted: the whole of it, or for a quick look a part. */
  scaled(count: number): number {
    return Math.ceil(count * this.#scale)
  }

  /** Signed orders, in turn of every trader, for the first so many markets. */
  sign(count: number, markets = 1): Promise<string[]> {
    return signOrders(this.venue, this.traders, this.#markets.slice(0, markets), count)
  }

  /** Warms up with the first bodies, sends the others, and reports what that took. @param each orders in one request @param peer that takes them instead of the venue */
  async measure(name: string, plan: (bodies: readonly string[]) => LoadPlan, bodies: readonly string[], warmUp: number, each = 1, peer?: Peer): Promise<LoadResult> {
    await runLoad(plan(bodies.slice(0, warmUp)))
    const { gateway, shard, nats, localnet } = this.venue
    const watched = peer === undefined ? { gateway: gateway.pid, shard: shard.pid } : { [peer.name]: peer.pid }
    const pids = { ...watched, 'nats-server': nats.pid, ...(peer === undefined && { localnet: localnet.pid }) }
    const threads = () => Object.entries(watched).map(([process, pid]) => [process, threadSeconds(pid)] as const)
    const figure = (name: string, metric: string, value: number, unit: string): void => report({ bench: 'venue', case: name, metric, value, unit, ...(peer && { peer: peer.name }) })
    const before = { processes: cpuSeconds(pids), threads: threads() }
    const load = await runLoad(plan(bodies.slice(warmUp)))
    const after = { processes: cpuSeconds(pids), threads: threads() }

    const orders = load.answered * each
    figure(name, 'throughput', orders / load.elapsed_s, 'orders/s')
    figure(name, 'latency p50', load.p50_ms, 'ms')
    figure(name, 'latency p99', load.p99_ms, 'ms')
    const cpu = (of: string, from: Readonly<Record<string, number>>, to: Readonly<Record<string, number>>): void => {
      for (const [what, seconds] of Object.entries(to)) {
        const used_s = seconds - (from[what] ?? 0)
        // Some threads sleep for ever.
        if (used_s > 0) figure(name, `cpu ${of}${what}`, (used_s / orders) * 1e6, 'µs/order')
      }
    }
    cpu('', before.processes, after.processes)
    for (const [n, [process, seconds]] of after.threads.entries()) cpu(`${process}, `, before.threads[n]![1], seconds)
    figure(name, 'cpu client', (load.cpu_s / orders) * 1e6, 'µs/order')
    figure(name, 'refused', load.refused, 'requests')
    return load
  }
}

export const figure = (name: string, metric: string, value: number, unit: string): void => report({ bench: 'venue', case: name, metric, value, unit })
export const several = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
