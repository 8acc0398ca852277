import { Courier } from './courier.ts'
import type { CallOptions } from './patience.ts'
import { fetchTransport } from './transport.ts'
import type { Transport } from './transport.ts'
import type { MarketStateView, TimeView, VenueView } from './views/venue.ts'

/** What holds for every call unless the call says otherwise, and how requests travel. */
export interface ReaderOptions extends CallOptions {
  readonly transport?: Transport
}

/** What a venue says to anybody: needs no key. Errors: NeverSent, Refused, OutcomeUnknown. */
export class VenueReader {
  readonly url: string
  readonly #courier: Courier

  /** @param gateway its URL */
  constructor(gateway: string | Courier, options: ReaderOptions = {}) {
    this.#courier = typeof gateway === 'string' ? courierTo(gateway, options) : gateway
    this.url = this.#courier.url
  }

  /** Markets, assets, network and vault. */
  markets(options?: CallOptions): Promise<VenueView> {
    return this.#courier.ask({ method: 'GET', path: '/api/v1/markets' }, options)
  }

  /** Whether a market is open, and between which prices it takes orders. */
  marketState(name: string, options?: CallOptions): Promise<MarketStateView> {
    return this.#courier.ask({ method: 'GET', path: `/api/v1/markets/${encodeURIComponent(name)}` }, options)
  }

  time(options?: CallOptions): Promise<TimeView> {
    return this.#courier.ask({ method: 'GET', path: '/api/v1/time' }, options)
  }
}

export function courierTo(url: string, { transport = fetchTransport, ...defaults }: ReaderOptions): Courier {
  return new Courier(url, transport, defaults)
}
