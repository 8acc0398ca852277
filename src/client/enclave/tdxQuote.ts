import { fromAnyHex } from '../../protocol/hex.ts'
import { same } from './bytes.ts'
import type { Bytes } from './bytes.ts'

const SIGNED_BYTES = 632
const ENCLAVE_REPORT_BYTES = 384
const SIGNATURE_BYTES = 64
const vendor = fromAnyHex('939a7233f79c4ca9940a0db3957f0607')

/** A TDX quote of version 4, as Intel's quoting library writes it. */
export interface TdxQuote {
  /** Heading and TD report: what the attestation key has signed. */
  readonly signed: Bytes
  readonly teeTcbSvn: Bytes
  readonly mrSignerSeam: Bytes
  readonly seamAttributes: Bytes
  readonly tdAttributes: Bytes
  readonly mrtd: Bytes
  /** RTMR0 to RTMR3. */
  readonly rtmr: readonly [Bytes, Bytes, Bytes, Bytes]
  readonly reportData: Bytes
  readonly signature: Bytes
  /** x ‖ y */
  readonly attestationKey: Bytes
  readonly enclave: EnclaveReport
  readonly enclaveSignature: Bytes
  /** What the quoting enclave has bound beside the attestation key. */
  readonly authentication: Bytes
  /** PEM of PCK certificate, platform CA and root. */
  readonly chain: string
}

/** The report of the quoting enclave, which has made the attestation key. */
export interface EnclaveReport {
  readonly signed: Bytes
  readonly miscSelect: Bytes
  readonly attributes: Bytes
  readonly mrSigner: Bytes
  readonly isvProdId: number
  readonly isvSvn: number
  readonly reportData: Bytes
}

/** @throws Error where it is another kind of quote, cut off, or longer than it says */
export function readQuote(quote: Bytes): TdxQuote {
  const all = new Reader(quote)
  const signed = all.take(SIGNED_BYTES)
  const heading = new Reader(signed)
  const [version, keyType, teeType] = [heading.u16(), heading.u16(), heading.u32()]
  if (version !== 4) throw new Error(`a quote of version ${version}: only version 4 is known`)
  if (keyType !== 2) throw new Error('an attestation key that is not one of ECDSA on P-256')
  if (teeType !== 0x81) throw new Error('no TDX quote')
  heading.take(4)
  if (!same(heading.take(16), vendor)) throw new Error('not made by Intel’s quoting enclave')
  heading.take(20)
  const teeTcbSvn = heading.take(16)
  heading.take(48)
  const [mrSignerSeam, seamAttributes, tdAttributes] = [heading.take(48), heading.take(8), heading.take(8)]
  heading.take(8)
  const mrtd = heading.take(48)
  heading.take(3 * 48)
  const rtmr = [heading.take(48), heading.take(48), heading.take(48), heading.take(48)] as const
  const reportData = heading.take(64)
  heading.end()

  const authenticated = new Reader(all.take(all.u32()))
  all.end()
  const [signature, attestationKey] = [authenticated.take(SIGNATURE_BYTES), authenticated.take(64)]
  if (authenticated.u16() !== 6) throw new Error('no report of a quoting enclave')
  const certification = new Reader(authenticated.take(authenticated.u32()))
  authenticated.end()
  const [report, enclaveSignature] = [certification.take(ENCLAVE_REPORT_BYTES), certification.take(SIGNATURE_BYTES)]
  const authentication = certification.take(certification.u16())
  if (certification.u16() !== 5) throw new Error('no PCK certificates in the quote')
  const chain = certification.take(certification.u32())
  certification.end()
  return { signed, teeTcbSvn, mrSignerSeam, seamAttributes, tdAttributes, mrtd, rtmr, reportData, signature, attestationKey, enclave: readEnclaveReport(report), enclaveSignature, authentication, chain: textOf(chain) }
}

function readEnclaveReport(signed: Bytes): EnclaveReport {
  const report = new Reader(signed)
  report.take(16)
  const miscSelect = report.take(4)
  report.take(28)
  const attributes = report.take(16)
  report.take(64)
  const mrSigner = report.take(32)
  report.take(96)
  const [isvProdId, isvSvn] = [report.u16(), report.u16()]
  report.take(60)
  const reportData = report.take(64)
  report.end()
  return { signed, miscSelect, attributes, mrSigner, isvProdId, isvSvn, reportData }
}

/** As C writes it: with a zero behind it. */
function textOf(bytes: Bytes): string {
  const text = bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text)
}

/** Little-endian, and never beyond the end. */
class Reader {
  readonly #bytes: Bytes
  #at = 0

  constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  take(length: number): Bytes {
    if (length > this.#bytes.length - this.#at) throw new Error('the quote is cut off')
    return this.#bytes.slice(this.#at, (this.#at += length))
  }

  u16(): number {
    return new DataView(this.take(2).buffer).getUint16(0, true)
  }

  u32(): number {
    return new DataView(this.take(4).buffer).getUint32(0, true)
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Error('the quote is longer than what is in it')
  }
}
