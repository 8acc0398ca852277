import { AsnConvert, AsnParser, AsnSerializer } from '@peculiar/asn1-schema'
import {
  BasicConstraints, Certificate, CertificateList, id_ce_basicConstraints, id_ce_keyUsage, KeyUsage, KeyUsageFlags, Version,
} from '@peculiar/asn1-x509'
import type { Extension, Name } from '@peculiar/asn1-x509'
import { BitString, fromBER, Integer, Sequence } from 'asn1js'
import { fromAnyHex, toHex } from '../../protocol/hex.ts'
import { same } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import { remembered } from './remembered.ts'
import { signedBy } from './signature.ts'

const COMMON_NAME = '2.5.4.3'
const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const SCALAR_BYTES = 32
/** What an extension that must be understood may be. */
const understood: ReadonlySet<string> = new Set([id_ce_basicConstraints, id_ce_keyUsage])

/** What is known of a certificate; that it is signed by anybody is not. */
export interface X509 {
  readonly commonName: string
  /** DER. */
  readonly subject: Bytes
  readonly issuer: Bytes
  readonly serial: string
  readonly from: Date
  readonly to: Date
  /** DER SubjectPublicKeyInfo. */
  readonly key: Bytes
  /** null where it is no CA; otherwise how many CAs may follow it. */
  readonly ca: number | null
  readonly signsCertificates: boolean
  readonly signsLists: boolean
  readonly extensions: ReadonlyMap<string, Bytes>
  readonly signed: Bytes
  /** r ‖ s */
  readonly signature: Bytes
}

/** A list of revoked certificates; that it is signed by anybody is not known. */
export interface RevocationList {
  readonly issuer: Bytes
  readonly from: Date
  /** null where it does not say when the next one is due. */
  readonly to: Date | null
  /** Serial numbers. */
  readonly revoked: ReadonlySet<string>
  readonly signed: Bytes
  readonly signature: Bytes
}

const pemForm = /^(?:-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]{4,8192}\n-----END CERTIFICATE-----\n){1,4}$/

/** The certificates of a PEM text and nothing else: each spelled in the one way that PEM is written. @throws Error */
export const readChain = remembered((pem): readonly X509[] => certificatesIn(pem).map(readCertificate))

/** @returns their DER @throws Error as readChain */
export function certificatesIn(pem: string): readonly Bytes[] {
  if (!pemForm.test(pem)) throw new Error('no certificates in PEM')
  return Array.from(pem.matchAll(/-----BEGIN CERTIFICATE-----\n([^-]*)\n-----END/g), ([, body]) => {
    const binary = atob(body!.replaceAll('\n', ''))
    if (btoa(binary).replace(/.{64}(?=.)/g, '$&\n') !== body) throw new Error('PEM has lines of 64 characters, and each certificate one spelling')
    return Uint8Array.from(binary, (character) => character.charCodeAt(0))
  })
}

/** @throws Error where it is none, or has something that must be understood and is not */
export function readCertificate(der: Bytes): X509 {
  const { tbsCertificate: tbs, ...outer } = AsnParser.fromASN(wholeOf(der), Certificate)
  const signed = new Uint8Array(outer.tbsCertificateRaw!)
  if (tbs.version !== Version.v3) throw new Error('a certificate of another version')
  const signature = rawSignature(outer.signatureValue)
  assertWrapped(der, signed, outer.signatureValue, tbs.signature.algorithm, outer.signatureAlgorithm.algorithm)
  const extensions = extensionsOf(tbs.extensions ?? [])
  const constraints = extensions.get(id_ce_basicConstraints)
  const { cA = false, pathLenConstraint = Infinity } = constraints === undefined ? {} : AsnConvert.parse(constraints, BasicConstraints)
  const usage = extensions.get(id_ce_keyUsage)
  const usages = usage === undefined ? 0 : AsnConvert.parse(usage, KeyUsage).toNumber()
  return {
    commonName: commonNameOf(tbs.subject),
    subject: derOf(tbs.subject),
    issuer: derOf(tbs.issuer),
    serial: toHex(new Uint8Array(tbs.serialNumber)),
    from: tbs.validity.notBefore.getTime(),
    to: tbs.validity.notAfter.getTime(),
    key: derOf(tbs.subjectPublicKeyInfo),
    ca: cA ? pathLenConstraint : null,
    signsCertificates: (usages & KeyUsageFlags.keyCertSign) !== 0,
    signsLists: (usages & KeyUsageFlags.cRLSign) !== 0,
    extensions,
    signed,
    signature,
  }
}

/** @param hex of its DER @throws Error as readCertificate */
export const readRevocationList = remembered((hex): RevocationList => {
  const der = fromAnyHex(hex)
  const { tbsCertList: tbs, ...outer } = AsnParser.fromASN(wholeOf(der), CertificateList)
  const signed = new Uint8Array(outer.tbsCertListRaw!)
  const signature = rawSignature(outer.signature)
  assertWrapped(der, signed, outer.signature, tbs.signature.algorithm, outer.signatureAlgorithm.algorithm)
  // A list that covers a part, or names other issuers' certificates, says so in an extension that must be understood.
  extensionsOf(tbs.crlExtensions ?? [])
  const entries = tbs.revokedCertificates ?? []
  for (const { crlEntryExtensions } of entries) extensionsOf(crlEntryExtensions ?? [])
  return {
    issuer: derOf(tbs.issuer),
    from: tbs.thisUpdate.getTime(),
    to: tbs.nextUpdate?.getTime() ?? null,
    revoked: new Set(entries.map(({ userCertificate }) => toHex(new Uint8Array(userCertificate)))),
    signed,
    signature,
  }
})

/** Whose signature has been found to be under what: these are read once, and never change. */
const found = new WeakMap<X509 | RevocationList, { readonly key: Bytes; readonly signed: boolean }>()

export async function isSignedBy(what: X509 | RevocationList, { key }: X509): Promise<boolean> {
  const known = found.get(what)
  if (known !== undefined && same(known.key, key)) return known.signed
  const signed = await signedBy(key, what.signed, what.signature)
  found.set(what, { key, signed })
  return signed
}

/** Each certificate of a chain is signed by the next, which may sign it, and the last by itself. @throws Error that says which is not */
export async function assertChain(chain: readonly X509[], names: readonly string[]): Promise<void> {
  if (chain.length !== names.length) throw new Error(`${chain.length} certificates, where ${names.join(', ')} are needed`)
  for (const [at, certificate] of chain.entries()) {
    const name = names[at]!
    const issuer = chain[at + 1] ?? certificate
    if (certificate.commonName !== name) throw new Error(`a certificate that is not called ${name} in its place`)
    if (issuer.ca === null || !issuer.signsCertificates) throw new Error(`${issuer.commonName} may not sign certificates`)
    // Between it and the end entity are `at` CAs, itself not counted.
    if (issuer.ca < (issuer === certificate ? at - 1 : at)) throw new Error(`${issuer.commonName} may not have so many CAs behind it`)
    if (!same(certificate.issuer, issuer.subject)) throw new Error(`${name} names another issuer`)
    if (!(await isSignedBy(certificate, issuer))) throw new Error(`${name} is not signed by ${issuer.commonName}`)
  }
}

/** @throws Error where it could sign certificates itself */
export function assertEndEntity({ commonName, ca }: X509): void {
  if (ca !== null) throw new Error(`${commonName} is a CA`)
}

/** @throws Error */
export function assertCurrent({ commonName, from, to }: X509, now: Date): void {
  if (now < from) throw new Error(`${commonName} is not valid before ${from.toISOString()}`)
  if (now > to) throw new Error(`${commonName} was valid until ${to.toISOString()}`)
}

function wholeOf(der: Bytes): Parameters<typeof AsnParser.fromASN>[0] {
  const { result, offset } = fromBER(der)
  if (offset !== der.length) throw new Error('not one whole DER value')
  return result
}

/** What is outside the signed part is not signed: it has to be the one spelling of the algorithm and the signature. */
function assertWrapped(der: Bytes, signed: Bytes, signature: ArrayBuffer, ...algorithms: string[]): void {
  if (algorithms.some((algorithm) => algorithm !== ECDSA_SHA256)) throw new Error('not signed with ECDSA and SHA-256')
  const wrapped = new Sequence({ value: [fromBER(signed).result, new Sequence({ value: [fromBER(Uint8Array.of(6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2)).result] }), new BitString({ valueHex: signature })] })
  if (!same(new Uint8Array(wrapped.toBER()), der)) throw new Error('not in DER')
}

/** r ‖ s of an ECDSA-Sig-Value in DER. */
function rawSignature(der: ArrayBuffer): Bytes {
  const { result, offset } = fromBER(der)
  const [r, s, more] = result instanceof Sequence ? result.valueBlock.value : []
  if (offset !== der.byteLength || !(r instanceof Integer) || !(s instanceof Integer) || more !== undefined) throw new Error('no ECDSA signature')
  const raw = new Uint8Array(2 * SCALAR_BYTES)
  for (const [at, value] of [r, s].entries()) {
    const bytes = new Uint8Array(value.valueBlock.valueHexView)
    const scalar = bytes[0] === 0 ? bytes.subarray(1) : bytes
    if (scalar.length > SCALAR_BYTES || (bytes[0]! & 0x80) !== 0 || (bytes[0] === 0 && (bytes[1]! & 0x80) === 0)) throw new Error('no ECDSA signature')
    raw.set(scalar, (at + 1) * SCALAR_BYTES - scalar.length)
  }
  // Numbers of other kinds than INTEGER read the same.
  const canonical = new Sequence({ value: [r, s].map(({ valueBlock }) => new Integer({ valueHex: valueBlock.valueHexView })) })
  if (!same(new Uint8Array(canonical.toBER()), new Uint8Array(der))) throw new Error('a signature that is not in DER')
  return raw
}

function extensionsOf(list: Iterable<Extension>): ReadonlyMap<string, Bytes> {
  const extensions = new Map<string, Bytes>()
  for (const { extnID, critical, extnValue } of list) {
    if (critical && !understood.has(extnID)) throw new Error(`extension ${extnID} has to be understood, and is not`)
    if (extensions.has(extnID)) throw new Error(`extension ${extnID} is there twice`)
    extensions.set(extnID, new Uint8Array(extnValue.buffer))
  }
  return extensions
}

function commonNameOf(name: Name): string {
  const names = name.flatMap((part) => part.filter(({ type }) => type === COMMON_NAME))
  return names.length === 1 ? names[0]!.value.toString() : ''
}

function derOf(value: unknown): Bytes {
  return new Uint8Array(AsnSerializer.serialize(value))
}
