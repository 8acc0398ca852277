import type { NatsConnection } from '@nats-io/nats-core'
import { tlsFirst } from '../protocol/natsAccess.ts'
import type { NatsAccess, NatsAccessOptions } from './natsAccess.ts'
import type { VenueView } from './views/venue.ts'

export interface NatsOpenOptions {
  /** Instead of those that the venue names. */
  readonly servers?: readonly string[]
  /** What `connect` speaks: `websocket` for `wsconnect`, as in a browser. Default: `tcp`. */
  readonly over?: 'tcp' | 'websocket'
  readonly name?: string
  /** Until the first connection, in milliseconds. */
  readonly timeout?: number
}

export interface NatsConnectOptions extends NatsAccessOptions {
  readonly servers: string[]
  /** The connection is by TLS, or there is none. */
  readonly tls?: { readonly handshakeFirst?: true; readonly ca?: string }
  readonly name?: string
  readonly timeout?: number
}

/** `connect` of a NATS library of the @nats-io family, or its `wsconnect`. */
export type NatsConnect = (options: NatsConnectOptions) => Promise<NatsConnection>

const schemes = { tcp: /^(nats|tls):\/\//, websocket: /^wss?:\/\// } as const
const byTls = /^(tls|wss):\/\//
/** This very machine: nobody is on the way. */
const loopback = /^[a-z]+:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/

/**
 * Connects to the NATS of a venue, at the addresses that it names itself unless others are given; by TLS wherever one of them has it.
 * @throws Error where the venue names none that `connect` could reach, or none that is safe to reach
 */
export async function openNats(connect: NatsConnect, venue: Pick<VenueView, 'nats'>, access: NatsAccess, { servers, over = 'tcp', ...options }: NatsOpenOptions = {}): Promise<NatsConnection> {
  const named = servers ?? venue.nats?.addresses ?? []
  const reached = named.filter((address) => schemes[over].test(address))
  if (reached.length === 0) throw new Error(`the venue names no address of a NATS that can be reached over ${over}`)
  const safe = reached.filter((address) => byTls.test(address))
  // A gateway could name any address. Without TLS, whoever is on the way reads the feed.
  if (servers === undefined && safe.length === 0 && !reached.every((address) => loopback.test(address))) throw new Error('the venue names no address of its NATS that is reached by TLS')
  // A venue that has an authority of its own is trusted by that and by nothing else.
  const tls = tlsFirst(venue.nats?.authorities ?? undefined).tls ?? {}
  return connect({ ...access.options, ...options, servers: safe.length > 0 ? safe : reached, ...(safe.length > 0 && over === 'tcp' && { tls }) })
}
