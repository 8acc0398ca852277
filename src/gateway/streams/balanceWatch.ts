import { Refusal } from '../../protocol/errors.ts'
import type { BalanceState, Standing } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import { balancesView } from '../balanceView.ts'
import { failure } from '../log.ts'
import type { Log } from '../log.ts'

/** No account's balances are asked for more often than this, however fast its feed moves. */
const EVERY_MS = 250

/** Whoever is told of balances: each time with the number of the feed at which they are true, and that of the time before. */
export interface BalanceReader {
  /** Number at which it was told last. */
  readonly told: number
  tell(fed: number, frame: (prev: number) => Buffer): void
}

/**
 * One account's balances for all who follow them. The feed has no messages of balances: when it has gone on, the vault actor is asked what they are now. Steps in between
 * are left out.
 */
export class BalanceWatch {
  readonly #ask: () => Promise<Standing>
  readonly #venue: Venue
  readonly #log: Log
  readonly #readers = new Set<BalanceReader>()
  #timer: NodeJS.Timeout | undefined
  #asking = false
  #moved = false
  #asked_ms = -Infinity

  constructor(ask: () => Promise<Standing>, venue: Venue, log: Log) {
    this.#ask = ask
    this.#venue = venue
    this.#log = log
  }

  join(reader: BalanceReader): void {
    this.#readers.add(reader)
    // What happened since it was told first.
    this.moved()
  }

  leave(reader: BalanceReader): void {
    this.#readers.delete(reader)
  }

  moved(): void {
    this.#moved = true
    if (this.#readers.size === 0 || this.#asking || this.#timer !== undefined) return
    this.#timer = setTimeout(() => void this.#tell(), Math.max(0, this.#asked_ms + EVERY_MS - performance.now()))
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#readers.clear()
  }

  async #tell(): Promise<void> {
    this.#timer = undefined
    this.#asking = true
    this.#moved = false
    this.#asked_ms = performance.now()
    try {
      const { fed, balances } = await this.#ask()
      const frame = balancesFrame(fed, balances, this.#venue)
      for (const reader of this.#readers) if (reader.told < fed) reader.tell(fed, frame)
    } catch (error) {
      // Between owners, or too much at once: asked again in a moment.
      if (!(error instanceof Refusal)) this.#log.error({ at: 'balanceWatch#tell', ...failure(error) }, 'balances could not be told')
      this.#moved = true
    }
    this.#asking = false
    if (this.#moved) this.moved()
  }
}

/** The message, written once for all who were told the same before. */
function balancesFrame(fed: number, balances: readonly BalanceState[], venue: Venue): (prev: number) => Buffer {
  const data = JSON.stringify(balancesView(balances, venue))
  const frames = new Map<number, Buffer>()
  return (prev) => {
    let frame = frames.get(prev)
    if (frame === undefined) frames.set(prev, (frame = Buffer.from(`{"type":"update","channel":"balances","seq":${fed},"prev":${prev},"data":${data}}`)))
    return frame
  }
}
