import { createHash, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

// X.509 in DER (RFC 5280, X.690), as far as the venue makes certificates itself.

/** What a certificate says. */
export interface CertificateForm {
  readonly subject: string
  readonly issuer: string
  /** DER SubjectPublicKeyInfo of whom it is for. */
  readonly publicKey: Uint8Array
  /** Random unless given. */
  readonly serial?: Uint8Array
  readonly from: Date
  readonly to: Date
  readonly extensions: readonly Uint8Array[]
}

/** @param key of the issuer: ed25519, or ECDSA on P-256 @returns PEM */
export function certificate({ subject, issuer, publicKey, serial = randomSerial(), from, to, extensions }: CertificateForm, key: KeyObject): string {
  const isEd25519 = key.asymmetricKeyType === 'ed25519'
  const algorithm = isEd25519 ? ED25519 : ECDSA_SHA256
  const body = sequence(VERSION_3, der(0x02, serial), algorithm, name(issuer), sequence(time(from), time(to)), name(subject), publicKey, der(0xa3, sequence(...extensions)))
  const signed = sequence(body, algorithm, der(0x03, Buffer.from([0]), sign(isEd25519 ? null : 'sha256', body, key)))
  return `-----BEGIN CERTIFICATE-----\n${signed.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

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
const ED25519 = sequence(hex('06032b6570'))
const TRUE = hex('0101ff')
/** Of an extension that whoever does not know it must not pass over. */
const CRITICAL = TRUE

/** A name of one part; a common name has 64 characters at most. */
const name = (text: string): Buffer => sequence(set(sequence(COMMON_NAME, der(0x0c, Buffer.from(text.slice(0, 64))))))

const keyIdentifier = (publicKey: Uint8Array): Buffer => createHash('sha256').update(publicKey).digest().subarray(0, 20)

/** What a certificate can say besides whose key it is. */
export const extensions = {
  /** Basic constraints, critical: of an end entity. */
  endEntity: sequence(hex('0603551d13'), CRITICAL, der(0x04, sequence())),
  /** Basic constraints, critical: of an authority that signs for end entities alone. */
  authority: sequence(hex('0603551d13'), CRITICAL, der(0x04, sequence(TRUE, hex('020100')))),
  /** Key usage, critical: digital signature. */
  signs: sequence(hex('0603551d0f'), CRITICAL, der(0x04, hex('03020780'))),
  /** Key usage, critical: signs certificates. */
  signsCertificates: sequence(hex('0603551d0f'), CRITICAL, der(0x04, hex('03020204'))),
  /** Extended key usage: TLS, as a server and as a client. */
  servesAndAsks: sequence(hex('0603551d25'), der(0x04, sequence(hex('06082b06010505070301'), hex('06082b06010505070302')))),
  subjectKey: (publicKey: Uint8Array): Buffer => sequence(hex('0603551d0e'), der(0x04, der(0x04, keyIdentifier(publicKey)))),
  issuerKey: (publicKey: Uint8Array): Buffer => sequence(hex('0603551d23'), der(0x04, sequence(der(0x80, keyIdentifier(publicKey))))),
  /** Names and addresses (IPv4) that it is for. */
  subjectNames: (hosts: readonly string[]): Buffer => {
    const names = hosts.map((host) => (isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host))))
    return sequence(hex('0603551d11'), der(0x04, sequence(...names)))
  },
} as const

/** A positive number of 16 bytes. */
function randomSerial(): Buffer {
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  return serial
}

/** UTCTime until 2049, as RFC 5280 has it. */
function time(at: Date): Buffer {
  const text = at.toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return text < '2050' ? der(0x17, Buffer.from(`${text.slice(2)}Z`)) : der(0x18, Buffer.from(`${text}Z`))
}
