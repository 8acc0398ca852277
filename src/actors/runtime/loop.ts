import type { Milliseconds } from '../../protocol/identity.ts'
import type { Clock } from './clock.ts'

/** How often `rearm` is called at least. A deadline that is farther away is not timed: a call looks again, also where the clock has jumped. */
export const pulse_ms = 200

export interface LoopParts {
  readonly clock: Clock
  /** How long what may wait waits for company. */
  readonly patience_ms: number
  /** Takes the next batch through. True where more waited when it was taken: that does not wait again. */
  readonly step: () => Promise<boolean>
  /** When something is due of itself, or null. */
  readonly deadline: () => Milliseconds | null
  readonly failed: (error: unknown) => void
}

/** When an actor's batches are taken, one at a time: at once for what somebody waits for, a little later for the rest, and when something is due. */
export class Loop {
  readonly #parts: LoopParts
  #working = false
  /** Whether something waits that may not wait for more. */
  #pressing = false
  #due = false
  #stopped = false
  #idle: (() => void)[] = []
  #cancelPatience: (() => void) | null = null
  #cancelDeadline = (): void => undefined

  constructor(parts: LoopParts) {
    this.#parts = parts
  }

  /** Something is there that may not wait. */
  press(): void {
    this.#pressing = true
    this.#wake()
  }

  /** Something is there that waits a little for more of its kind, or for anything that may not wait and takes it along in its order. */
  gather(): void {
    const { clock, patience_ms } = this.#parts
    if (patience_ms === 0) return this.press()
    this.#cancelPatience ??= clock.after(patience_ms, () => {
      this.#cancelPatience = null
      this.press()
    })
  }

  /** Sets the timer for what is due next. What is due makes a batch even where it is empty, so that a replay advances at the same time. */
  rearm(): void {
    this.#cancelDeadline()
    const deadline = this.#stopped ? null : this.#parts.deadline()
    if (deadline === null) return
    const wait_ms = deadline - this.#parts.clock.now()
    if (wait_ms > pulse_ms) return
    // Never at once: a machine whose deadline does not move must not spin.
    this.#cancelDeadline = this.#parts.clock.after(Math.max(wait_ms, 1), () => {
      this.#due = true
      this.#wake()
    })
  }

  /** Resolves once nothing is at work, or it is stopped. */
  async settled(): Promise<void> {
    while (this.#working && !this.#stopped) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  stop(): void {
    this.#stopped = true
    this.#cancelPatience?.()
    this.#cancelDeadline()
    this.#rest()
  }

  #wake(): void {
    if (this.#working || this.#stopped) return
    this.#working = true
    // After the microtasks of this turn, so that all packets of one read from the socket make one batch.
    queueMicrotask(() => void this.#work())
  }

  async #work(): Promise<void> {
    try {
      while (!this.#stopped && (this.#pressing || this.#due)) {
        this.#due = false
        this.#pressing = false
        if (await this.#parts.step()) this.#pressing = true
        if (!this.#stopped) this.rearm()
      }
    } catch (error) {
      this.#parts.failed(error)
    } finally {
      this.#working = false
      this.#rest()
    }
  }

  #rest(): void {
    for (const resolve of this.#idle) resolve()
    this.#idle = []
  }
}
