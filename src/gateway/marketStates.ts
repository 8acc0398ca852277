import type { MarketName } from '../protocol/identity.ts'
import type { MarketStatus } from '../protocol/pair.ts'
import type { Vaults } from './vaults/vaults.ts'

/** What markets say of themselves. Anybody may ask, so each market hears one question at a time, whose answer all who wait share. */
export class MarketStates {
  readonly #vaults: Vaults
  readonly #asked = new Map<MarketName, Promise<MarketStatus>>()

  constructor(vaults: Vaults) {
    this.#vaults = vaults
  }

  /** @throws Refusal market_unavailable */
  read(market: MarketName): Promise<MarketStatus> {
    const asked = this.#asked.get(market)
    if (asked !== undefined) return asked
    const answer = this.#vaults.queryMarket(market).finally(() => this.#asked.delete(market))
    this.#asked.set(market, answer)
    return answer
  }
}
