import { limits } from '../../src/protocol/limits.ts'
import type { FeeRates } from '../../src/protocol/market.ts'
import type { VenueFile } from '../../src/protocol/venue.ts'
import type { Deployment } from './deployment.ts'
import { rpcUrl } from './localnet.ts'
import { LOOPBACK } from './ports.ts'
import type { VenuePorts } from './ports.ts'

/** What a local venue may be told about its shape. */
export interface VenueShape {
  /** Markets as [base, quote]. */
  readonly markets: readonly (readonly [string, string])[]
  readonly vaultPartitions: number
  readonly signatureThreads: number
  readonly settlement: VenueFile['settlement']
  /** Version of the feed keys; feeds are not sealed unless given. */
  readonly sealed?: number
}

export const VENUE_NAME = 'local'
export const NATS_USER = 'darkpool'
/** Version of the authority over nats-servers, where there are several: those speak TLS. */
export const NATS_TLS = 1

/** A tenth of a unit is a lot, and a ten-thousandth of the quote asset per unit a tick: 0.1 × 0.0001 = 0.00001, or 100 smallest units. */
const STEPS = { lotSize: '1000000', tickSize: '100', minLots: 1, maxLots: 1_000_000_000, maxTicks: 1_000_000_000, maxLifetime_s: 604_800 } as const

/** Everybody at a local venue comes from one address, and what measures it comes faster than any trader. */
const plenty = { quota: 1_000_000, window_s: 1 }
const rates = { requests: plenty, addressCancels: plenty, logins: plenty, orders: plenty, cancels: plenty, reads: plenty }

/** What its markets charge: the second one, so that a newcomer's first trade is simple, and fees are charged somewhere. */
export const FEES: Readonly<Record<string, FeeRates>> = { 'EURC-USDC': { maker_ppm: 500, taker_ppm: 500 } }

/** @param operator public key of whoever operates it without its root key */
export function venueFile(deployment: Deployment, shape: VenueShape, ports: VenuePorts, operator: string): VenueFile {
  const { rpc, nodes } = ports
  const [first] = nodes
  if (!first) throw new Error('a venue has a node')
  const clustered = nodes.length > 1
  const servers = nodes.map(({ nats }) => `${clustered ? 'tls' : 'nats'}://${LOOPBACK}:${nats}`)
  return {
    venue: VENUE_NAME,
    network: { passphrase: deployment.passphrase, rpc: rpcUrl(rpc) },
    vault: { contract: deployment.vault, fromLedger: deployment.fromLedger },
    nats: { servers, user: NATS_USER, traders: true, addresses: servers, ...(clustered && { replicas: 3 as const, tls: NATS_TLS }), ...(shape.sealed !== undefined && { sealed: shape.sealed }) },
    enclave: { kind: 'development' },
    operators: [{ key: operator, may: 'act' }],
    vaultPartitions: shape.vaultPartitions,
    assets: deployment.assets.map(({ code, contract, index, decimals }) => ({ code, contract, index, decimals })),
    markets: shape.markets.map(([base, quote]) => {
      const fees = deployment.feeCap_ppm === undefined ? undefined : FEES[`${base}-${quote}`]
      return { base, quote, ...STEPS, ...(fees && { fees }) }
    }),
    settlement: shape.settlement,
    gateway: { host: LOOPBACK, port: first.gateway, homeDomain: `localhost:${first.gateway}`, signatureThreads: shape.signatureThreads, tokenLifetime_s: 3_600, rates, connectionsPerAddress: limits.connections },
  }
}

/** With the versions of keys that were taken into the file since (`darkpool keys rotate`): they never go down. */
export function keepingVersions(file: VenueFile, { keys, nats }: VenueFile): VenueFile {
  const later = (now: number | undefined, before: number | undefined): number | undefined => (now === undefined || before === undefined ? now : Math.max(now, before))
  const [sealed, tls] = [later(file.nats.sealed, nats.sealed), later(file.nats.tls, nats.tls)]
  return { ...file, nats: { ...file.nats, ...(sealed !== undefined && { sealed }), ...(tls !== undefined && { tls }) }, ...(keys !== undefined && { keys }) }
}
