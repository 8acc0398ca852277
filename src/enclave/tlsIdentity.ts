import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

const DAY_MS = 86_400_000
const LIFETIME_MS = 3_650 * DAY_MS

/** A TLS key that was made in this process and stands nowhere else, with a certificate that it has signed itself: whom it belongs to the enclave's evidence says. */
export interface TlsIdentity {
  /** PEM. */
  readonly key: string
  readonly cert: string
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array
}

/** @param hosts names and addresses that the certificate is for */
export function newTlsIdentity(hosts: readonly string[], now: Date): TlsIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const name = sequence(set(sequence(COMMON_NAME, der(0x0c, Buffer.from(hosts[0]!.slice(0, 64))))))
  const validity = sequence(time(now.getTime() - DAY_MS), time(now.getTime() + LIFETIME_MS))
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const body = sequence(VERSION_3, der(0x02, serial), ECDSA_SHA256, name, validity, name, spki, der(0xa3, sequence(subjectNames(hosts), NO_AUTHORITY, SIGNS_AND_SERVES)))
  const certificate = sequence(body, ECDSA_SHA256, der(0x03, Buffer.from([0]), sign('sha256', body, privateKey)))
  const cert = `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert, publicKey: Uint8Array.from(spki) }
}

// X.509 in DER (RFC 5280, X.690).

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const length = content.length < 128 ? [content.length] : content.length < 256 ? [0x81, content.length] : [0x82, content.length >> 8, content.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents)
const set = (...contents: readonly Uint8Array[]): Buffer => der(0x31, ...contents)
const hex = (text: string): Buffer => Buffer.from(text, 'hex')

const VERSION_3 = hex('a003020102')
const COMMON_NAME = hex('0603550403')
const ECDSA_SHA256 = sequence(hex('06082a8648ce3d040302'))
/** Basic constraints, critical: of an end entity. */
const NO_AUTHORITY = sequence(hex('0603551d13'), hex('0101ff'), der(0x04, sequence()))
/** Key usage, critical: digital signature. */
const SIGNS_AND_SERVES = sequence(hex('0603551d0f'), hex('0101ff'), der(0x04, hex('03020780')))

function subjectNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) => (isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host))))
  return sequence(hex('0603551d11'), der(0x04, sequence(...names)))
}

/** UTCTime until 2049, as RFC 5280 has it. */
function time(at_ms: number): Buffer {
  const text = new Date(at_ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return text < '2050' ? der(0x17, Buffer.from(`${text.slice(2)}Z`)) : der(0x18, Buffer.from(`${text}Z`))
}
