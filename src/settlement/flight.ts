import type { Batch } from './batch.ts'
import type { OfBatch, Submitted } from './settlementLocal.ts'
import type { QueuedTrade } from './tradeQueue.ts'

/** A transaction that was made for a batch. */
export interface Submission extends Submitted {
  /** Why it is known that it will not apply; null while it may. */
  dead: string | null
}

/** The batch that is on its way. At most one: the contract takes a channel's batches one after the other. */
export class Flight {
  readonly batch: Batch
  readonly queued: readonly QueuedTrade[]
  readonly submissions: Submission[]

  constructor(batch: Batch, queued: readonly QueuedTrade[], submissions: readonly Submission[] = []) {
    this.batch = batch
    this.queued = queued
    this.submissions = [...submissions]
  }

  get sequence(): number {
    return this.batch.sequence
  }

  /** How the driver's inputs name this batch. */
  get id(): OfBatch {
    return { sequence: this.batch.sequence, batch: Buffer.from(this.batch.stateRoot).toString('hex') }
  }

  is({ sequence, batch }: OfBatch): boolean {
    return this.sequence === sequence && this.id.batch === batch
  }

  /** The transaction that may still apply. Another one may be made only where there is none. */
  get live(): Submission | null {
    const last = this.submissions.at(-1)
    return last !== undefined && last.dead === null ? last : null
  }

  /**
   * Until when (Unix seconds of ledger time) some transaction of this batch could apply even though it was given up. While it could, the
   * batch may be sent anew, since the channel's sequence lets one of them pass, but its trades must not go into a different batch.
   */
  get settlesUntil(): number {
    return this.submissions.reduce((latest, { maxTime }) => Math.max(latest, maxTime), 0)
  }

  submit(submitted: Submitted): void {
    if (this.live) throw new Error(`batch ${this.sequence} has a transaction that may still apply`)
    this.submissions.push({ ...submitted, dead: null })
  }
}
