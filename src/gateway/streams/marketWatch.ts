import type { MarketName } from '../../protocol/identity.ts'
import type { Market } from '../../protocol/market.ts'
import type { MarketStatus } from '../../protocol/pair.ts'

/** How often a market is asked what it says of itself, while somebody follows it. */
const EVERY_MS = 1_000

/** Whoever follows markets: what it was told last of each. */
export interface MarketReader {
  readonly markets: Map<MarketName, string>
  tell(frame: string): void
}

/** What markets say of themselves, for all who follow them: asked once for all, told when it has changed. */
export class MarketWatch {
  readonly #read: (market: MarketName) => Promise<MarketStatus>
  readonly #markets: ReadonlyMap<MarketName, Market>
  readonly #readers = new Map<MarketName, Set<MarketReader>>()
  readonly #timer: NodeJS.Timeout
  readonly #asking = new Set<MarketName>()

  constructor(markets: ReadonlyMap<MarketName, Market>, read: (market: MarketName) => Promise<MarketStatus>) {
    this.#markets = markets
    this.#read = read
    this.#timer = setInterval(() => {
      for (const market of this.#readers.keys()) if (!this.#asking.has(market)) void this.#look(market)
    }, EVERY_MS)
    this.#timer.unref()
  }

  /** What a market says of itself now, as text. */
  async current(name: MarketName): Promise<string> {
    const market = this.#markets.get(name)!
    try {
      const { state, lowTicks, highTicks } = await this.#read(name)
      return JSON.stringify({ name, state, lowestPrice: market.formatPrice(lowTicks), highestPrice: market.formatPrice(highTicks) })
    } catch {
      // Whatever keeps it from saying: it takes nothing now.
      return JSON.stringify({ name, state: 'unavailable', lowestPrice: null, highestPrice: null })
    }
  }

  /** @param told what the reader has been told of it */
  join(reader: MarketReader, market: MarketName, told: string): void {
    reader.markets.set(market, told)
    const readers = this.#readers.get(market) ?? new Set()
    this.#readers.set(market, readers.add(reader))
  }

  leave(reader: MarketReader, market: MarketName): void {
    reader.markets.delete(market)
    const readers = this.#readers.get(market)
    readers?.delete(reader)
    if (readers?.size === 0) this.#readers.delete(market)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#readers.clear()
  }

  async #look(market: MarketName): Promise<void> {
    this.#asking.add(market)
    const text = await this.current(market)
    this.#asking.delete(market)
    const frame = `{"type":"update","channel":"market","data":${text}}`
    for (const reader of this.#readers.get(market) ?? []) {
      if (reader.markets.get(market) === text) continue
      reader.markets.set(market, text)
      reader.tell(frame)
    }
  }
}
