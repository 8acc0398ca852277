import type { AttestationEvidence } from '../protocol/attestation.ts'
import type { TapePrint } from '../protocol/tape.ts'
import { Courier } from './courier.ts'
import type { Judgement } from './enclave/judgement.ts'
import type { Verification } from './enclave/examine.ts'
import type { CallOptions } from './patience.ts'
import { pages } from './pages.ts'
import type { PageOptions } from './pages.ts'
import { readStream } from './stream.ts'
import type { StreamOptions } from './stream.ts'
import { fetchTransport } from './transport.ts'
import type { Transport } from './transport.ts'
import type { Verify } from './verifiedTransport.ts'
import type { InfoView, LimitsView, MarketStateView, PrintView, ReadyView, TimeView, VenueView } from './views/venue.ts'

/** What holds for every call unless the call says otherwise, and how requests travel. */
export interface ReaderOptions extends CallOptions {
  /** Default: by fetch. */
  readonly transport?: Transport
  /** Looks at the evidence of the enclave behind the gateway before anything is sent to it, and again when a connection was lost. */
  readonly verify?: Verify
}

export type TapeOptions = PageOptions

/** `markets`: instead of all that have a tape. `tapeAfter`: by market, begin behind this print of it; otherwise with the next one. */
export type PrintOptions = Pick<StreamOptions, 'markets' | 'tapeAfter' | 'signal' | 'buffer' | 'openSocket'>

/** What follows the prints that were had is no longer kept. */
export class TapeGap extends Error {
  constructor() {
    super('The next print of the tape is no longer kept.')
    this.name = 'TapeGap'
  }
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

  /** A market's public tape, newest first, as far back as it is kept. @throws Refused tape_off where it has none */
  tape(market: string, { page, ...options }: TapeOptions = {}): AsyncGenerator<PrintView> {
    return pages((path) => this.#courier.ask({ method: 'GET', path }, options), `/api/v1/markets/${encodeURIComponent(market)}/tape`, 'prints', {}, page)
  }

  /** Follows public tapes, over as many connections as it takes: each print of a market once and in order, for as long as they are read. */
  async *prints(options: PrintOptions = {}): AsyncGenerator<TapePrint> {
    const nobody = { url: this.url, token: () => Promise.reject(new Error('a tape needs no login')) }
    for await (const message of readStream(nobody, { ...options, channels: ['tape'] })) {
      if (message.type === 'lost') throw new TapeGap()
      if (message.type === 'update' && message.channel === 'tape') yield message.data
    }
  }

  /**
   * Evidence of the enclave behind the gateway, as it is: nothing of it has been looked at. What looks at each connection is `verify`.
   * @param nonce 64 hexadecimal digits of your choice: the quote is made for them
   */
  attestation(nonce: string, options?: CallOptions): Promise<AttestationEvidence> {
    return this.#courier.ask({ method: 'GET', path: `/api/v1/attestation?nonce=${encodeURIComponent(nonce)}` }, options)
  }

  /** Versions, and what is measured of the enclave, as the venue says itself. */
  info(options?: CallOptions): Promise<InfoView> {
    return this.#courier.ask({ method: 'GET', path: '/api/v1/info' }, options)
  }

  /** Rates and bounds that a program should keep to. */
  limits(options?: CallOptions): Promise<LimitsView> {
    return this.#courier.ask({ method: 'GET', path: '/api/v1/limits' }, options)
  }

  /**
   * Looks at the enclave behind the gateway, and judges it by a policy: every check, with what it found. Nothing else is asked but what everybody is told. A connection shows its TLS key with TlsTransport alone.
   * `verify: verifiedEnclave(judgement)` does the same to each connection of a client.
   * @throws NotVerified where the venue shows nothing, NeverSent where it cannot be asked
   */
  async verifyEnclave(judgement: Judgement): Promise<Verification> {
    // Whoever does not ask for it need not load it.
    const [{ judged }, evidence] = await Promise.all([import('./enclave/judgement.ts'), this.#courier.evidence()])
    return judged(evidence, judgement)
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

  /** Streams, and feeds over NATS, as AsyncAPI 3.0. */
  streamsDescription(options?: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    return this.#courier.ask({ method: 'GET', path: '/api/v1/asyncapi.json' }, options)
  }

  time(options?: CallOptions): Promise<TimeView> {
    return this.#courier.ask({ method: 'GET', path: '/api/v1/time' }, options)
  }
}

export function courierTo(url: string, { transport = fetchTransport, verify, ...defaults }: ReaderOptions): Courier {
  return new Courier(url, transport, defaults, verify)
}
