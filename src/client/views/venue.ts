import type { MarketState, SelfTrade } from '../../protocol/identity.ts'

export interface AssetView {
  readonly code: string
  readonly contract: string
  readonly decimals: number
}

export interface MarketView {
  readonly name: string
  readonly base: AssetView
  readonly quote: AssetView
  /** Price step, quantity step and bounds, as decimals. */
  readonly tickSize: string
  readonly lotSize: string
  readonly minQuantity: string
  readonly maxQuantity: string
  readonly maxPrice: string
  /** Of one order: price × quantity, or what to spend. */
  readonly maxValue: string
  readonly maxLifetime_s: number
  /** Of one account. */
  readonly maxOpenOrders: number
  /** Self-trade prevention where an order does not say. */
  readonly selfTrade: SelfTrade
  /** What it keeps of what each side of a trade receives, in parts per million, rounded up to the smallest unit. */
  readonly fees: { readonly maker_ppm: number; readonly taker_ppm: number }
  /** How its trades are made public: an interval of `delay_s` at a time, so long after its end, rounded to these steps; null where they are not. */
  readonly tape: { readonly delay_s: number; readonly quantityStep: string; readonly priceStep: string } | null
}

/** What was traded at one price within an interval, as a list shows it. */
export interface PrintView {
  readonly seq: number
  /** ISO 8601; `until` is not in it. */
  readonly from: string
  readonly until: string
  readonly price: string
  readonly quantity: string
}

/** What a market says of itself now. */
export interface MarketStateView {
  readonly name: string
  readonly state: MarketState
  /** The prices between which it takes orders. */
  readonly lowestPrice: string
  readonly highestPrice: string
}

/** Where traders reach a venue's NATS, and how: tls:// and wss:// addresses by TLS and not otherwise; every connection shows an nkey. */
export interface NatsView {
  readonly addresses: readonly string[]
  /** Whether all of them are by TLS. */
  readonly tls: boolean
  readonly auth: 'nkey'
  /** Whether feeds, requests and answers are sealed with the account's feed keys. */
  readonly sealed: boolean
  /** PEM: who signs the certificates of its servers, which then speak TLS and nothing before it; null where they are certified by others. */
  readonly authorities: string | null
}

/** What GET /api/v1/markets says of the venue. */
export interface VenueView {
  readonly venue: string
  readonly network: string
  readonly vault: string
  /** null where traders do not reach it. */
  readonly nats: NatsView | null
  readonly assets: readonly AssetView[]
  readonly markets: readonly MarketView[]
}

/** The clock by which the gateway judges what has expired. */
export interface TimeView {
  readonly time: string
  readonly unix_ms: number
}

export interface ReadyView {
  readonly ready: boolean
  readonly missing: readonly string[]
}

/** What a gateway takes (docs/api/limits.md). */
export interface LimitsView {
  readonly rates: readonly { readonly name: string; readonly quota: number; readonly window_s: number }[]
  readonly requestBytes: number
  readonly openOrders: number
  readonly withdrawalsInFlight: number
  readonly connectionsPerAddress: number
  readonly streams: { readonly perAccount: number; readonly frameBytes: number; readonly fragments: number; readonly requestsInFlight: number; readonly bufferedBytes: number }
}

/** What runs in the venue's enclave, as it says itself. Hexadecimal. */
export interface EnclaveView {
  /** `development`: a machine without hardware, whose evidence nobody accepts who was not told to. */
  readonly kind: 'dstack' | 'development'
  readonly appId: string
  readonly instanceId: string
  readonly composeHash: string
  readonly osImageHash: string | null
  readonly measurements: { readonly mrtd: string; readonly rtmr0: string; readonly rtmr1: string; readonly rtmr2: string; readonly rtmr3: string }
}

export interface InfoView {
  readonly version: string
  readonly node: string
  readonly venue: string
  readonly network: string
  readonly vault: string
  /** null where the venue runs in none. */
  readonly enclave: EnclaveView | null
}
