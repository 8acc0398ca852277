import { X509Certificate } from 'node:crypto'
import { Meters } from '../monitoring/meters.ts'
import type { Readings } from '../monitoring/meters.ts'
import type { ActorName } from '../protocol/identity.ts'
import type { VaultCommand } from '../protocol/vault.ts'
import type { Venue } from '../protocol/venue.ts'
import type { Gateway } from './gateway.ts'
import type { Streams } from './streams/streams.ts'
import type { Subscribers } from './subscribers/subscribers.ts'

/** From here on a status says that the venue, and not the caller, is why. */
const FAILED = 500

export interface GatewayParts {
  readonly gateway: Pick<Gateway, 'admission' | 'signatures' | 'owners'>
  readonly streams: Pick<Streams, 'size' | 'followed'>
  /** null where traders are not let in to NATS. */
  readonly subscribers: { readonly sessions: Pick<Subscribers['sessions'], 'size'> } | null
  /** PEM; null for plain HTTP. */
  readonly certificate: string | null
}

/** What a gateway counts for its operator: of orders their number by market, and nothing that they say. */
export class GatewayMeters {
  readonly #meters = new Meters()
  readonly #actors: readonly ActorName[]

  constructor(venue: Venue) {
    this.#actors = venue.actors
    for (const market of venue.markets.keys()) {
      this.#meters.count('darkpool_orders_total', { market }, 0)
      this.#meters.count('darkpool_orders_refused_total', { market }, 0)
      this.#meters.expect('darkpool_order_answer_seconds', { market })
    }
    this.#meters.count('darkpool_gateway_requests_total', {}, 0)
    this.#meters.count('darkpool_gateway_requests_failed_total', {}, 0)
  }

  /** A signed message has its answer. */
  answered(command: VaultCommand, refused: boolean, took_ms: number): void {
    if (command.kind !== 'place') return
    const { market } = command
    this.#meters.count(refused ? 'darkpool_orders_refused_total' : 'darkpool_orders_total', { market })
    this.#meters.observe('darkpool_order_answer_seconds', took_ms / 1_000, { market })
  }

  /** An HTTP request has its answer. */
  responded(status: number): void {
    this.#meters.count('darkpool_gateway_requests_total')
    if (status >= FAILED) this.#meters.count('darkpool_gateway_requests_failed_total')
  }

  read({ gateway, streams, subscribers, certificate }: GatewayParts): Promise<Readings> {
    const meters = this.#meters
    meters.set('darkpool_gateway_requests_in_flight', gateway.admission.inFlight)
    meters.set('darkpool_gateway_signatures_waiting', gateway.signatures.waiting)
    if (certificate !== null) meters.set('darkpool_gateway_certificate_expiry_seconds', new X509Certificate(certificate).validToDate.getTime() / 1_000)
    const missing = new Set(gateway.owners.missing(Date.now()))
    for (const actor of this.#actors) meters.set('darkpool_actor_heard', missing.has(actor) ? 0 : 1, { actor })
    meters.set('darkpool_feed_streams', streams.size)
    meters.set('darkpool_feed_accounts_followed', streams.followed)
    if (subscribers !== null) meters.set('darkpool_feed_nats_connections', subscribers.sessions.size)
    return meters.read()
  }
}
