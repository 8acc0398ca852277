import { Worker } from 'node:worker_threads'
import type { Comparer, Comparison, FromThread, ReplayedRun, Replaying, ToThread } from './comparison.ts'

interface Asked {
  readonly resolve: (fault: string | null) => void
  readonly reject: (error: Error) => void
}

/** Replays journals in a thread of its own, beside the simulation: one run at a time. */
export class ReplayThread implements Replaying {
  readonly #worker = new Worker(new URL('./thread.ts', import.meta.url), { name: 'replays' })
  #asked: Asked[] = []
  #failed: Error | null = null

  constructor() {
    // It ends with whoever started it, but not as long as somebody waits for an answer.
    this.#worker.unref()
    this.#worker.on('message', ({ fault }: FromThread) => {
      this.#asked.shift()?.resolve(fault)
      if (this.#asked.length === 0) this.#worker.unref()
    })
    this.#worker.on('error', (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', () => this.#fail(new Error('the thread that replays has ended')))
  }

  /** What was asked of the run before must be answered. */
  begin(run: ReplayedRun): Comparer {
    this.#post({ run }, [])
    return { compare: (comparison) => this.#compare(comparison) }
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #compare(comparison: Comparison): Promise<string | null> {
    if (this.#failed !== null) return Promise.reject(this.#failed)
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject })
      this.#worker.ref()
      const { records, lengths, caused } = comparison
      // Made for this; the state is copied, since a machine may have made it in a larger buffer.
      this.#post({ comparison }, [records.buffer, lengths.buffer, caused.buffer])
    })
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer)
  }

  #fail(error: Error): void {
    this.#failed ??= error
    for (const { reject } of this.#asked) reject(error)
    this.#asked = []
  }
}
