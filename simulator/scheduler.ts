import type { Trace } from './trace.ts'

/** 2026-01-01: a simulation's first moment. */
export const BEGIN_us = 1_767_225_600_000_000
/** Events between two looks at the real event loop. */
const ROUND = 64

/** Something that will happen, unless it is cancelled. */
interface Event {
  readonly at_us: number
  /** In which order events of the same time were made. */
  readonly order: number
  readonly what: string
  readonly where: string
  run: (() => void) | null
}

/**
 * Simulated time. One event happens at a time, and everything that awaits it runs before the next one does: no timer, no thread and no
 * input of the machine has a say in what comes when. The first events are at hand before the run begins.
 */
export class Scheduler {
  readonly #trace: Trace
  readonly #heap: Event[] = []
  #now_us = BEGIN_us
  #order = 0

  constructor(trace: Trace) {
    this.#trace = trace
  }

  get now_us(): number {
    return this.#now_us
  }

  get now_ms(): number {
    return Math.floor(this.#now_us / 1_000)
  }

  /** Since the beginning. */
  get passed_ms(): number {
    return Math.floor((this.#now_us - BEGIN_us) / 1_000)
  }

  /** The function it gives back cancels the event. */
  after(delay_us: number, what: string, where: string, run: () => void): () => void {
    const event: Event = { at_us: this.#now_us + Math.max(0, Math.round(delay_us)), order: this.#order++, what, where, run }
    this.#push(event)
    return () => void (event.run = null)
  }

  /** Runs events until `more` says no. It is asked before each event, when all that the event before it led to is done. */
  run(more: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let over = false
      // Node runs every microtask there is between two immediates.
      const turn = (): void => {
        if (over) return
        try {
          if (more() && this.#step()) return
          over = true
          resolve()
        } catch (error) {
          over = true
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      const round = (): void => {
        if (over) return
        for (let i = 0; i < ROUND; i++) setImmediate(turn)
        setImmediate(round)
      }
      round()
    })
  }

  /** False where nothing is left to happen. */
  #step(): boolean {
    for (;;) {
      const event = this.#pop()
      if (event === undefined) return false
      if (event.run === null) continue
      this.#now_us = event.at_us
      this.#trace.event(event.at_us, event.what, event.where)
      event.run()
      return true
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!before(event, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++
      if (!before(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
    return first
  }
}

const before = (a: Event, b: Event): boolean => a.at_us < b.at_us || (a.at_us === b.at_us && a.order < b.order)
