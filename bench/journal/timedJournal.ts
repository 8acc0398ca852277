import type { Journal } from '../../src/actors/runtime/journal.ts'

/** A journal that takes the time of each append, from the call to the acknowledgement that it is durable. */
export class TimedJournal implements Journal {
  readonly replay: Journal['replay']
  readonly forget: Journal['forget']
  readonly #journal: Journal
  #spans_ms: number[] = []
  #bytes = 0

  constructor(journal: Journal) {
    this.#journal = journal
    this.replay = (after) => journal.replay(after)
    this.forget = (position) => journal.forget(position)
  }

  async append(record: Uint8Array): Promise<void> {
    const from = performance.now()
    await this.#journal.append(record)
    this.#spans_ms.push(performance.now() - from)
    this.#bytes += record.length
  }

  /** What was measured since the last call: sorted spans and bytes appended. */
  take(): { readonly spans_ms: readonly number[]; readonly bytes: number } {
    const taken = { spans_ms: this.#spans_ms.sort((a, b) => a - b), bytes: this.#bytes }
    this.#spans_ms = []
    this.#bytes = 0
    return taken
  }
}

/** The value below which the part `share` of the sorted values lies. */
export const quantile = (sorted: readonly number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
