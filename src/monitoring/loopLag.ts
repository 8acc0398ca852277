import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Each thread wakes up so often to look. */
const RESOLUTION_MS = 50
const WINDOW_MS = 10_000
const NS_PER_S = 1e9

/** How long the event loop of this thread was held up at most, lately. It never goes unseen for being between two readings, however many read it. */
export class LoopLag {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  readonly #timer: NodeJS.Timeout
  #before_s = 0

  constructor() {
    this.#histogram.enable()
    this.#timer = setInterval(() => {
      this.#before_s = this.#window_s
      this.#histogram.reset()
    }, WINDOW_MS).unref()
  }

  /** Seconds: the longest in the last one to two windows. */
  get longest_s(): number {
    return Math.max(this.#before_s, this.#window_s)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#histogram.disable()
  }

  /** The timer's own period is in what is measured. */
  get #window_s(): number {
    const { count, max } = this.#histogram
    return count === 0 ? 0 : Math.max(0, max / NS_PER_S - RESOLUTION_MS / 1_000)
  }
}
