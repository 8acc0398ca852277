import { Integer, ObjectIdentifier, OctetString, Sequence } from 'asn1js'
import type { Collateral } from '../../protocol/attestation.ts'
import { certificate, pairFrom, pem, revocationList, serial, signedRaw } from './certificates.ts'
import type { CertificateForm, Issuer, ListForm, Pair } from './certificates.ts'
import { tdxQuote } from './tdxQuote.ts'
import type { Measurements, QuoteFaults, QuoteSigner } from './tdxQuote.ts'

const DAY_MS = 86_400_000
const SGX_EXTENSION = '1.2.840.113741.1.13.1'

/** What a platform is, as its PCK certificate, Intel's TCB information and its quoting enclave have it. */
export interface Platform {
  readonly fmspc: string
  readonly pceId: string
  readonly pceSvn: number
  /** The sixteen SGX components that the PCK certificate names. */
  readonly components: readonly number[]
  /** TEE_TCB_SVN of its quotes. */
  readonly teeTcbSvn: string
  readonly enclave: QuoteSigner['enclave']
}

export const testPlatform: Platform = {
  fmspc: '00a0c0de0000',
  pceId: '0000',
  pceSvn: 13,
  components: [3, 3, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
  teeTcbSvn: '05010300000000000000000000000000',
  enclave: { mrSigner: 'dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5', isvProdId: 2, isvSvn: 6, attributes: '1500000000000000e700000000000000' },
}

/** How certificates may differ from sound ones before they are signed. */
export interface PkiFaults {
  readonly root?: Partial<CertificateForm>
  readonly platformCa?: Partial<CertificateForm>
  readonly pck?: Partial<CertificateForm>
  readonly tcbSigning?: Partial<CertificateForm>
  readonly platform?: Partial<Platform>
  /** Serial numbers instead of none, and times instead of sound ones. */
  readonly pckCrl?: Partial<ListForm>
  readonly rootCrl?: Partial<ListForm>
}

/** How collateral may differ before it is signed, or after. */
export interface CollateralFaults {
  readonly tcbInfo?: (info: TcbInfo) => unknown
  readonly qeIdentity?: (identity: QeIdentity) => unknown
  readonly signed?: (collateral: Collateral) => Collateral
}

interface Tcb {
  tcb: Record<string, unknown>
  tcbDate: string
  tcbStatus: string
  advisoryIDs?: string[]
}
export interface TcbInfo {
  [member: string]: unknown
  tdxModuleIdentities: { id: string; mrsigner: string; attributes: string; attributesMask: string; tcbLevels: Tcb[] }[]
  tcbLevels: Tcb[]
}
export interface QeIdentity {
  [member: string]: unknown
  tcbLevels: Tcb[]
}

/**
 * A public key infrastructure such as Intel's, for machines without TDX: root, platform CA, PCK certificate, TCB signing certificate, lists of what is revoked, TCB information and the quoting
 * enclave's identity. It attests nothing: its root is accepted by those only who were told to accept it.
 */
export class TestPki {
  readonly at: Date
  readonly platform: Platform
  readonly root: Uint8Array
  readonly platformCa: Uint8Array
  readonly pck: Uint8Array
  readonly tcbSigning: Uint8Array
  readonly serials = { platformCa: serial(), pck: serial(), tcbSigning: serial() }
  readonly #faults: PkiFaults
  readonly #pairs: Readonly<Record<'root' | 'platformCa' | 'pck' | 'tcbSigning' | 'attestation', Pair>>
  readonly #rootIssuer: Issuer
  readonly #platformIssuer: Issuer

  /** @param seed 32 secret bytes: the same seed has the same root key @param at when it is made */
  constructor(seed: Uint8Array, at: Date, faults: PkiFaults = {}) {
    this.at = at
    this.#faults = faults
    this.platform = { ...testPlatform, ...faults.platform }
    this.#pairs = { root: pairFrom(seed, 'root'), platformCa: pairFrom(seed, 'platform CA'), pck: pairFrom(seed, 'PCK'), tcbSigning: pairFrom(seed, 'TCB signing'), attestation: pairFrom(seed, 'attestation') }
    this.#rootIssuer = { commonName: faults.root?.commonName ?? 'Intel SGX Root CA', pair: this.#pairs.root }
    this.#platformIssuer = { commonName: faults.platformCa?.commonName ?? 'Intel SGX PCK Platform CA', pair: this.#pairs.platformCa }
    const valid = { from: new Date(at.getTime() - DAY_MS), to: new Date(at.getTime() + 7 * 365 * DAY_MS) }
    this.root = certificate({ ...valid, commonName: 'Intel SGX Root CA', ca: 1, ...faults.root }, this.#pairs.root, this.#rootIssuer)
    this.platformCa = certificate({ ...valid, commonName: 'Intel SGX PCK Platform CA', ca: 0, serial: this.serials.platformCa, ...faults.platformCa }, this.#pairs.platformCa, this.#rootIssuer)
    this.pck = certificate(
      { ...valid, commonName: 'Intel SGX PCK Certificate', ca: null, serial: this.serials.pck, extensions: { [SGX_EXTENSION]: sgxExtension(this.platform) }, ...faults.pck },
      this.#pairs.pck,
      this.#platformIssuer,
    )
    this.tcbSigning = certificate({ ...valid, commonName: 'Intel SGX TCB Signing', ca: null, serial: this.serials.tcbSigning, ...faults.tcbSigning }, this.#pairs.tcbSigning, this.#rootIssuer)
  }

  /** DER SubjectPublicKeyInfo of the root: what a verifier has to be told to accept. */
  get rootKey(): Uint8Array {
    return this.#pairs.root.spki
  }

  /** What Intel would say of the platform, issued now. */
  collateral(now: Date = this.at, faults: CollateralFaults = {}): Collateral {
    const issued = { issueDate: iso(now.getTime() - 3_600_000), nextUpdate: iso(now.getTime() + 30 * DAY_MS) }
    const listed: ListForm = { revoked: [], from: new Date(now.getTime() - 3_600_000), to: new Date(now.getTime() + 30 * DAY_MS) }
    const sign = (value: unknown): [string, string] => {
      const text = JSON.stringify(value)
      return [text, signedRaw(Buffer.from(text), this.#pairs.tcbSigning).toString('hex')]
    }
    const info = { ...tcbInfo(this.platform), ...issued }
    const identity = { ...qeIdentity(this.platform), ...issued }
    const [tcb_info, tcb_info_signature] = sign(faults.tcbInfo?.(info) ?? info)
    const [qe_identity, qe_identity_signature] = sign(faults.qeIdentity?.(identity) ?? identity)
    const issuers = pem(this.tcbSigning) + pem(this.root)
    const collateral: Collateral = {
      pck_crl_issuer_chain: pem(this.platformCa) + pem(this.root),
      pck_crl: hexOf(revocationList({ ...listed, ...this.#faults.pckCrl }, this.#platformIssuer)),
      root_ca_crl: hexOf(revocationList({ ...listed, ...this.#faults.rootCrl }, this.#rootIssuer)),
      tcb_info_issuer_chain: issuers,
      tcb_info,
      tcb_info_signature,
      qe_identity_issuer_chain: issuers,
      qe_identity,
      qe_identity_signature,
    }
    return faults.signed?.(collateral) ?? collateral
  }

  /** @param reportData 64 bytes */
  makeQuote(reportData: Uint8Array, measurements: Measurements, faults: QuoteFaults = {}): Buffer {
    const { pck, attestation } = this.#pairs
    const signer = { pck, attestation, chain: [this.pck, this.platformCa, this.root], enclave: this.platform.enclave, teeTcbSvn: this.platform.teeTcbSvn }
    return tdxQuote(reportData, measurements, signer, faults)
  }
}

/** Intel's extension of PCK certificates: what the platform is. */
function sgxExtension({ fmspc, pceId, pceSvn, components }: Platform): Uint8Array {
  const member = (oid: string, value: Integer | OctetString | Sequence): Sequence => new Sequence({ value: [new ObjectIdentifier({ value: `${SGX_EXTENSION}.${oid}` }), value] })
  const bytes = (hex: string): OctetString => new OctetString({ valueHex: Uint8Array.from(Buffer.from(hex, 'hex')).buffer })
  const tcb = new Sequence({
    value: [
      ...components.map((svn, at) => member(`2.${at + 1}`, new Integer({ value: svn }))),
      member('2.17', new Integer({ value: pceSvn })),
      member('2.18', bytes(Buffer.from(components).toString('hex'))),
    ],
  })
  return new Uint8Array(new Sequence({ value: [member('1', bytes('00'.repeat(16))), member('2', tcb), member('3', bytes(pceId)), member('4', bytes(fmspc))] }).toBER())
}

function tcbInfo({ fmspc, pceId, pceSvn, components, teeTcbSvn }: Platform): TcbInfo {
  const svns = [...Buffer.from(teeTcbSvn, 'hex')]
  const tcb = (pcesvn: number) => ({ sgxtcbcomponents: components.map((svn) => ({ svn })), pcesvn, tdxtcbcomponents: svns.map((svn, at) => ({ svn: at === 1 ? 0 : svn })) })
  const signer = { mrsigner: '00'.repeat(48), attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8) }
  return {
    id: 'TDX',
    version: 3,
    fmspc: fmspc.toUpperCase(),
    pceId,
    tcbType: 0,
    tcbEvaluationDataNumber: 17,
    tdxModule: signer,
    tdxModuleIdentities: [
      {
        id: 'TDX_01',
        ...signer,
        tcbLevels: [
          { tcb: { isvsvn: 4 }, tcbDate: '2024-03-13T00:00:00Z', tcbStatus: 'UpToDate' },
          { tcb: { isvsvn: 2 }, tcbDate: '2023-08-09T00:00:00Z', tcbStatus: 'OutOfDate', advisoryIDs: ['INTEL-SA-01036'] },
        ],
      },
    ],
    tcbLevels: [
      { tcb: tcb(pceSvn), tcbDate: '2024-03-13T00:00:00Z', tcbStatus: 'UpToDate' },
      { tcb: tcb(5), tcbDate: '2018-01-04T00:00:00Z', tcbStatus: 'OutOfDate', advisoryIDs: ['INTEL-SA-00106', 'INTEL-SA-00837'] },
    ],
  }
}

function qeIdentity({ enclave }: Platform): QeIdentity {
  return {
    id: 'TD_QE',
    version: 2,
    tcbEvaluationDataNumber: 17,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: enclave.mrSigner.toUpperCase(),
    isvprodid: enclave.isvProdId,
    tcbLevels: [
      { tcb: { isvsvn: 4 }, tcbDate: '2024-03-13T00:00:00Z', tcbStatus: 'UpToDate' },
      { tcb: { isvsvn: 1 }, tcbDate: '2020-01-01T00:00:00Z', tcbStatus: 'OutOfDate' },
    ],
  }
}

/** As Intel writes it: whole seconds. */
function iso(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
