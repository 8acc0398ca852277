import { Courier } from './courier.ts'
import type { CallOptions } from './patience.ts'
import { fetchTransport } from './transport.ts'
import type { Transport } from './transport.ts'
import type { LimitsView, MarketStateView, ReadyView, TimeView, VenueView } from './views/venue.ts'

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

  /** Rates and bounds that a program should keep to. */
  limits(options?: CallOptions): Promise<LimitsView> {
    return this.#courier.ask({ method: 'GET', path: '/api/v1/limits' }, options)
  }

  /** Whether the gateway answers. */
  async alive(options?: CallOptions): Promise<void> {
    await this.#courier.ask({ method: 'GET', path: '/health' }, options)
  }

  /** Whether the venue can trade, and which of its parts did not say so. */
  ready(options?: CallOptions): Promise<ReadyView> {
    return this.#courier.ask({ method: 'GET', path: '/ready', answers: [503] }, options)
  }

  /** The API as OpenAPI 3.1. */
  description(options?: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    return this.#courier.ask({ method: 'GET', path: '/api/v1/openapi.json' }, options)
  }

  time(options?: CallOptions): Promise<TimeView> {
    return this.#courier.ask({ method: 'GET', path: '/api/v1/time' }, options)
  }
}

export function courierTo(url: string, { transport = fetchTransport, ...defaults }: ReaderOptions): Courier {
  return new Courier(url, transport, defaults)
}
