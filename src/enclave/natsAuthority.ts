import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { VenueFile } from '../protocol/venue.ts'
import { certificate, extensions } from './certificate.ts'
import { KeyLink } from './holder/keyLink.ts'
import { natsAuthorityPath, versionsAround } from './keys.ts'
import type { Keys } from './keys.ts'
import type { NatsCertificates } from './natsCertificates.ts'

const HOUR_MS = 3_600_000
/** What nats-server shows is made anew long before (src/natsServer), so that a certificate that got away is soon worth nothing. */
export const NATS_CERTIFICATE_MS = 7 * 24 * HOUR_MS
/** Clocks of two machines may differ by less. */
const SKEW_MS = HOUR_MS
/** The same bytes wherever they are made: an authority lives as long as its version. */
const AUTHORITY_FROM = new Date('2025-01-01T00:00:00Z')
const AUTHORITY_TO = new Date('2100-01-01T00:00:00Z')
/** PKCS #8 of an ed25519 key, before its 32 bytes (RFC 8410). */
const PRIVATE_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** What of a venue file says whether its nats-servers speak TLS, and by which version of its authority. */
interface TlsVenue {
  readonly venue: string
  readonly nats: Pick<VenueFile['nats'], 'tls'>
}

/** One version of the venue's own authority over nats-servers: its key follows from a secret of the app, so that every VM of the app has the same one, and no other app has it. */
export class NatsAuthority {
  readonly version: number
  /** PEM. */
  readonly certificate: string
  readonly #name: string
  readonly #key: KeyObject
  readonly #publicKey: Uint8Array

  /** @param secret 32 bytes */
  constructor(venue: string, version: number, secret: Uint8Array) {
    this.version = version
    this.#name = `darkpool ${venue} NATS ${version}`
    this.#key = createPrivateKey({ key: Buffer.concat([PRIVATE_ED25519, secret]), format: 'der', type: 'pkcs8' })
    this.#publicKey = Uint8Array.from(createPublicKey(this.#key).export({ type: 'spki', format: 'der' }))
    this.certificate = certificate(
      {
        subject: this.#name,
        issuer: this.#name,
        publicKey: this.#publicKey,
        serial: Buffer.from([1]),
        from: AUTHORITY_FROM,
        to: AUTHORITY_TO,
        extensions: [extensions.authority, extensions.signsCertificates, extensions.subjectKey(this.#publicKey)],
      },
      this.#key,
    )
  }

  /** SHA-256 of the certificate's DER, as evidence names it. */
  get fingerprint(): string {
    return new X509Certificate(this.certificate).fingerprint256.replaceAll(':', '').toLowerCase()
  }

  /** @param publicKey DER SubjectPublicKeyInfo of a nats-server @param hosts names and addresses at which it is reached @returns PEM */
  issue(publicKey: Uint8Array, hosts: readonly string[], now: Date): string {
    return certificate(
      {
        subject: 'nats-server',
        issuer: this.#name,
        publicKey,
        from: new Date(now.getTime() - SKEW_MS),
        to: new Date(now.getTime() + NATS_CERTIFICATE_MS),
        extensions: [extensions.subjectNames(hosts), extensions.endEntity, extensions.signs, extensions.servesAndAsks, extensions.issuerKey(this.#publicKey)],
      },
      this.#key,
    )
  }
}

/** The current version, and those that servers may have which are changed before or after: none where nats-servers speak no TLS. */
export function natsAuthorityVersions({ nats: { tls } }: Pick<TlsVenue, 'nats'>): readonly number[] {
  return tls === undefined ? [] : versionsAround(tls)
}

/** For the key holder alone. */
export const natsAuthorityPaths = (venue: Pick<TlsVenue, 'nats'>): readonly string[] => natsAuthorityVersions(venue).map(natsAuthorityPath)

/** The current one first. */
export const venueNatsAuthorities = (keys: Keys, venue: TlsVenue): Promise<readonly NatsAuthority[]> =>
  Promise.all(natsAuthorityVersions(venue).map(async (version) => new NatsAuthority(venue.venue, version, await keys.secret(natsAuthorityPath(version)))))

/** The authority itself, for whoever has its secret. */
export class OwnNatsCertificates implements NatsCertificates {
  readonly #authorities: Promise<readonly NatsAuthority[]>

  constructor(keys: Keys, venue: TlsVenue) {
    this.#authorities = venueNatsAuthorities(keys, venue)
    // Whoever asks hears of it.
    this.#authorities.catch(() => undefined)
  }

  async authorities(): Promise<readonly string[]> {
    return (await this.#authorities).map((authority) => authority.certificate)
  }

  async certificate(publicKey: Uint8Array, hosts: readonly string[]): Promise<string> {
    const [current] = await this.#authorities
    if (current === undefined) throw new Error('the nats-servers of this venue speak no TLS')
    return current.issue(publicKey, hosts, new Date())
  }
}

/** From the key holder, or where there is none from the keys themselves. */
export const natsCertificates = (keys: Keys, venue: TlsVenue): NatsCertificates => (keys instanceof KeyLink ? keys : new OwnNatsCertificates(keys, venue))

/** Whom the venue's parts trust to be its nats-servers: PEM; undefined where those speak no TLS. */
export async function natsTrust(keys: Keys, venue: TlsVenue): Promise<string | undefined> {
  return venue.nats.tls === undefined ? undefined : (await natsCertificates(keys, venue).authorities()).join('')
}
