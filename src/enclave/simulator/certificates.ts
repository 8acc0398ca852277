import { createECDH, createPrivateKey, createPublicKey, hkdfSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier, AttributeTypeAndValue, AttributeValue, BasicConstraints, Certificate, CertificateList, Extension, Extensions, id_ce_basicConstraints, id_ce_cRLNumber,
  id_ce_keyUsage, KeyUsage, Name, RelativeDistinguishedName, RevokedCertificate, SubjectPublicKeyInfo, TBSCertificate, TBSCertList, Time, Validity, Version,
} from '@peculiar/asn1-x509'
import { Integer } from 'asn1js'

/** ECDSA on P-256 with SHA-256, which everything of Intel's is signed with. */
const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const ORGANISATION = '2.5.4.10'

/** Whoever looks at such a certificate sees what it is not. */
export const TEST_ORGANISATION = 'darkpool test PKI, no hardware behind it'

/** A P-256 key pair. */
export interface Pair {
  readonly private: KeyObject
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** x ‖ y, 64 bytes. */
  readonly point: Uint8Array
}

/** The same pair for the same seed and name. @param seed 32 bytes */
export function pairFrom(seed: Uint8Array, name: string): Pair {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(new Uint8Array(hkdfSync('sha256', seed, 'darkpool test PKI', name, 32)))
  const point = curve.getPublicKey().subarray(1)
  const [d, x, y] = [curve.getPrivateKey(), point.subarray(0, 32), point.subarray(32)].map((bytes) => bytes.toString('base64url')) as [string, string, string]
  const key = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d, x, y }, format: 'jwk' })
  return { private: key, spki: Uint8Array.from(createPublicKey(key).export({ type: 'spki', format: 'der' })), point: Uint8Array.from(point) }
}

/** r ‖ s, as quotes and signed JSON carry it. */
export function signedRaw(bytes: Uint8Array, { private: key }: Pair): Buffer {
  return sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' })
}

export interface CertificateForm {
  readonly commonName: string
  readonly organisation?: string
  /** 20 random bytes unless given. */
  readonly serial?: Uint8Array
  readonly from: Date
  readonly to: Date
  /** null for an end entity; otherwise how many CAs may follow. */
  readonly ca: number | null
  /** Bits of RFC 5280's KeyUsage. What fits `ca` unless given. */
  readonly usage?: number
  /** Extensions besides, by OID: their DER. */
  readonly extensions?: Readonly<Record<string, Uint8Array>>
}

export interface Issuer {
  readonly commonName: string
  readonly pair: Pair
}

/** @returns DER */
export function certificate(form: CertificateForm, { spki }: Pair, issuer: Issuer): Uint8Array {
  const extensions = [
    extension(id_ce_keyUsage, AsnConvert.serialize(new KeyUsage(form.usage ?? (form.ca === null ? 0b11 : 0b110_0000))), true),
    extension(id_ce_basicConstraints, AsnConvert.serialize(new BasicConstraints(form.ca === null ? {} : { cA: true, pathLenConstraint: form.ca })), true),
    ...Object.entries(form.extensions ?? {}).map(([oid, der]) => extension(oid, bufferOf(der), false)),
  ]
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: integer(form.serial ?? serial()),
    signature: algorithm(),
    issuer: nameOf(issuer.commonName),
    validity: new Validity({ notBefore: form.from, notAfter: form.to }),
    subject: nameOf(form.commonName, form.organisation),
    subjectPublicKeyInfo: AsnConvert.parse(bufferOf(spki), SubjectPublicKeyInfo),
    extensions: new Extensions(extensions),
  })
  return new Uint8Array(AsnConvert.serialize(new Certificate({ tbsCertificate, signatureAlgorithm: algorithm(), signatureValue: signedDer(AsnConvert.serialize(tbsCertificate), issuer.pair) })))
}

export interface ListForm {
  readonly revoked: readonly Uint8Array[]
  readonly from: Date
  /** null for a list that never says when the next one is due. */
  readonly to: Date | null
}

/** A list of revoked serial numbers. @returns DER */
export function revocationList({ revoked, from, to }: ListForm, issuer: Issuer): Uint8Array {
  const tbsCertList = new TBSCertList({
    version: Version.v2,
    signature: algorithm(),
    issuer: nameOf(issuer.commonName),
    thisUpdate: new Time(from),
    crlExtensions: [extension(id_ce_cRLNumber, new Integer({ value: 1 }).toBER(), false)],
    ...(to === null ? {} : { nextUpdate: new Time(to) }),
    ...(revoked.length === 0 ? {} : { revokedCertificates: revoked.map((number) => new RevokedCertificate({ userCertificate: integer(number), revocationDate: new Time(from) })) }),
  })
  return new Uint8Array(AsnConvert.serialize(new CertificateList({ tbsCertList, signatureAlgorithm: algorithm(), signature: signedDer(AsnConvert.serialize(tbsCertList), issuer.pair) })))
}

export function pem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

/** 20 bytes that are a positive number. */
export function serial(): Uint8Array {
  const bytes = Uint8Array.from(randomBytes(20))
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes
}

function extension(extnID: string, der: ArrayBuffer, critical: boolean): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(der) })
}

function algorithm(): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: ECDSA_SHA256 })
}

function nameOf(commonName: string, organisation = TEST_ORGANISATION): Name {
  const part = (type: string, utf8String: string): RelativeDistinguishedName => new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })])
  return new Name([part(COMMON_NAME, commonName), part(ORGANISATION, organisation)])
}

function signedDer(tbs: ArrayBuffer, { private: key }: Pair): ArrayBuffer {
  return bufferOf(sign('sha256', new Uint8Array(tbs), key))
}

const integer = bufferOf

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}
