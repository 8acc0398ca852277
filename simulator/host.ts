import type { Clock } from '../src/actors/runtime/clock.ts'
import type { Milliseconds } from '../src/protocol/identity.ts'
import type { Scheduler } from './scheduler.ts'

/** A promise of a host that died while it waited. */
export const never = <Value>(): Promise<Value> => new Promise<Value>(() => undefined)

/**
 * One process: it has a clock of its own, can be held up and can die. All that it hears and does goes through here, so that one that is dead
 * does nothing more, though its promises still stand.
 */
export class Host {
  readonly name: string
  /** Never used by another. */
  readonly number: number
  readonly clock: Clock
  readonly #scheduler: Scheduler
  readonly #died: (host: Host) => void
  #alive = true
  #paused = false
  #connected = true
  /** Calls to the outside that it makes before it dies; Infinity where nothing is planned. */
  #fuse = Infinity
  #held: { readonly what: string; readonly run: () => void }[] = []
  /** What its clock is ahead of the simulation's. */
  #ahead_ms: number
  /** An injected failure that it may end of. */
  excuse: string | null = null

  constructor(name: string, number: number, ahead_ms: number, scheduler: Scheduler, died: (host: Host) => void) {
    this.name = name
    this.number = number
    this.#ahead_ms = ahead_ms
    this.#scheduler = scheduler
    this.#died = died
    this.clock = {
      now: () => (this.#scheduler.now_ms + this.#ahead_ms) as Milliseconds,
      passed: () => this.#scheduler.now_us / 1_000,
      after: (delay_ms, call) => this.after(delay_ms * 1_000, 'timer', call),
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Whether the network can be reached. */
  get connected(): boolean {
    return this.#connected
  }
  set connected(connected: boolean) {
    this.#connected = connected
  }

  get ahead_ms(): number {
    return this.#ahead_ms
  }

  jump(by_ms: number): void {
    this.#ahead_ms += by_ms
  }

  /** Something comes to this host after a time, unless it is dead by then or the function that this gives back is called. */
  after(delay_us: number, what: string, run: () => void): () => void {
    let wanted = true
    const arrive = (): void => {
      if (!wanted || !this.#alive) return
      if (this.#paused) this.#held.push({ what, run: arrive })
      else run()
    }
    const cancel = this.#scheduler.after(delay_us, what, this.name, arrive)
    return () => {
      wanted = false
      cancel()
    }
  }

  /** It is about to do something to the outside world. False: it is dead, and does not. */
  reach(): boolean {
    if (!this.#alive) return false
    if (--this.#fuse > 0) return true
    this.die()
    return false
  }

  /** Dies at one of its next calls to the outside, between two instructions of whatever it does then. */
  dieAfter(calls: number): void {
    this.#fuse = calls
  }

  die(): void {
    if (!this.#alive) return
    this.#alive = false
    this.#held = []
    this.#died(this)
  }

  pause(): void {
    this.#paused = true
  }

  /** Everything that came meanwhile comes now, in its order. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    const held = this.#held
    this.#held = []
    for (const { what, run } of held) this.#scheduler.after(0, what, this.name, run)
  }
}
