import { exchange } from './http.ts'
import type { MarketStateView, VenueView } from './views/venue.ts'

/** What a venue says to anybody: needs no key. Errors: NeverSent, Refused, OutcomeUnknown. */
export class VenueReader {
  readonly url: string

  /** @param url a gateway's */
  constructor(url: string) {
    this.url = url
  }

  /** Markets, assets, network and vault. */
  markets(): Promise<VenueView> {
    return exchange(this.url, { method: 'GET', path: '/api/v1/markets' })
  }

  /** Whether a market is open, and between which prices it takes orders. */
  marketState(name: string): Promise<MarketStateView> {
    return exchange(this.url, { method: 'GET', path: `/api/v1/markets/${name}` })
  }
}
