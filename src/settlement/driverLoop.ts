import { systemClock } from '../actors/runtime/clock.ts'
import type { Clock } from '../actors/runtime/clock.ts'
import type { Log } from '../actors/runtime/log.ts'
import { faultOf } from './stellarRpc.ts'

/** A step's outcome: `again` where there may be more to do at once, otherwise how long to sleep at most before looking again. */
export type Step = 'again' | { readonly sleep_ms: number }

const PATIENCE_MS = 1_000
const BACKOFF_FIRST_MS = 200
const BACKOFF_LONGEST_MS = 10_000

/**
 * Repeats a step until stopped. A step that throws (the RPC is down, or answers nonsense) is tried again after a delay that doubles up to
 * a bound, for ever; the log says so once when it begins and once when it is over.
 */
export class DriverLoop {
  readonly #name: string
  readonly #step: () => Promise<Step>
  readonly #log: Log
  readonly #clock: Clock
  readonly #done: Promise<void>
  #stopped = false
  /** Set when something happened that a sleeping step should see; kept while a step runs, or it would be slept over. */
  #woken = false
  #wake: (() => void) | undefined
  #failures = 0

  constructor(name: string, step: () => Promise<Step>, log: Log, clock: Clock = systemClock) {
    this.#name = name
    this.#step = step
    this.#log = log
    this.#clock = clock
    this.#done = this.#run()
  }

  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  /**
   * Resolves once the step that runs has ended, or after a moment where it hangs on a server: every step may be abandoned at any of its
   * awaits, since whatever it sends was made durable before.
   */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake?.()
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(PATIENCE_MS, resolve)
      void this.#done.then(() => (cancel(), resolve()))
    })
  }

  async #run(): Promise<void> {
    // The caller's constructor must be over before the first step runs.
    await Promise.resolve()
    while (!this.#stopped) {
      this.#woken = false
      let sleep_ms: number
      let interruptible = true
      try {
        const step = await this.#step()
        this.#recovered()
        if (step === 'again') continue
        sleep_ms = step.sleep_ms
      } catch (error) {
        this.#failed(error)
        sleep_ms = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(this.#failures - 1, 20), BACKOFF_LONGEST_MS)
        // New work does not make a server that is down come back: only stopping ends this sleep early.
        interruptible = false
      }
      await this.#sleep(sleep_ms, interruptible)
    }
  }

  #sleep(sleep_ms: number, interruptible: boolean): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopped || (interruptible && this.#woken)) return resolve()
      const end = () => {
        cancel()
        this.#wake = undefined
        resolve()
      }
      const cancel = this.#clock.after(sleep_ms, end)
      this.#wake = () => {
        if (interruptible || this.#stopped) end()
      }
    })
  }

  #failed(error: unknown): void {
    this.#failures++
    if (this.#failures === 1 && !this.#stopped) this.#log.warn(this.#name, 'cannot go on, trying again', { fault: faultOf(error) })
  }

  #recovered(): void {
    if (this.#failures > 0) this.#log.info(this.#name, 'goes on again', { failures: this.#failures })
    this.#failures = 0
  }
}
