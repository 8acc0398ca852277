import { createHash } from 'node:crypto'
import { pem, signedRaw } from './certificates.ts'
import type { Pair } from './certificates.ts'

/** What a TD's quote says of it. Registers in hexadecimal, 48 bytes each. */
export interface Measurements {
  readonly mrtd: string
  readonly rtmr0: string
  readonly rtmr1: string
  readonly rtmr2: string
  readonly rtmr3: string
}

/** Where things are in the 632 bytes that a quote's signature is over: heading and TD report. Offsets in bytes. */
export const reportAt = {
  version: 0, keyType: 2, teeType: 4, vendor: 12, teeTcbSvn: 48, mrSeam: 64, mrSignerSeam: 112, seamAttributes: 160, tdAttributes: 168, xfam: 176, mrtd: 184, mrConfigId: 232, mrOwner: 280,
  mrOwnerConfig: 328, rtmr0: 376, rtmr1: 424, rtmr2: 472, rtmr3: 520, reportData: 568, end: 632,
} as const

/** Where things are in the quoting enclave's report. */
export const enclaveReportAt = { cpuSvn: 0, miscSelect: 16, attributes: 48, mrEnclave: 64, mrSigner: 128, isvProdId: 256, isvSvn: 258, reportData: 320, end: 384 } as const

/** SEPT_VE_DISABLE, and nothing else. */
const TD_ATTRIBUTES = '0000001000000000'
const INTEL_QE_VENDOR = '939a7233f79c4ca9940a0db3957f0607'

/** Who signs a quote: the platform's certified key certifies an attestation key, which signs. */
export interface QuoteSigner {
  readonly pck: Pair
  readonly attestation: Pair
  /** PCK certificate, platform CA, root: DER. */
  readonly chain: readonly Uint8Array[]
  /** Of the quoting enclave. */
  readonly enclave: { readonly mrSigner: string; readonly isvProdId: number; readonly isvSvn: number; readonly attributes: string }
  /** TEE_TCB_SVN: version of the TDX module first. */
  readonly teeTcbSvn: string
}

/** How a quote may differ from a sound one before it is signed: each is handed the bytes to change. */
export interface QuoteFaults {
  readonly report?: (bytes: Buffer) => void
  readonly enclaveReport?: (bytes: Buffer) => void
  readonly signature?: (bytes: Buffer) => void
  readonly enclaveSignature?: (bytes: Buffer) => void
  readonly certification?: (bytes: Buffer) => Buffer
}

/** A TDX quote of version 4, signed by whom it says it is. @param reportData 64 bytes */
export function tdxQuote(reportData: Uint8Array, measurements: Measurements, signer: QuoteSigner, faults: QuoteFaults = {}): Buffer {
  const report = Buffer.alloc(reportAt.end)
  report.writeUInt16LE(4, reportAt.version)
  report.writeUInt16LE(2, reportAt.keyType)
  report.writeUInt32LE(0x81, reportAt.teeType)
  report.write(INTEL_QE_VENDOR, reportAt.vendor, 'hex')
  report.write(signer.teeTcbSvn, reportAt.teeTcbSvn, 'hex')
  report.write('5b'.repeat(48), reportAt.mrSeam, 'hex')
  report.write(TD_ATTRIBUTES, reportAt.tdAttributes, 'hex')
  report.write('e702060000000000', reportAt.xfam, 'hex')
  for (const register of ['mrtd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const) {
    if (report.write(measurements[register], reportAt[register], 'hex') !== 48) throw new Error(`${register} has 48 bytes`)
  }
  if (reportData.length !== 64) throw new Error('report data has 64 bytes')
  report.set(reportData, reportAt.reportData)
  faults.report?.(report)

  const extra = Buffer.from(Array.from({ length: 32 }, (_, at) => at))
  const enclaveReport = Buffer.alloc(enclaveReportAt.end)
  enclaveReport.write(signer.enclave.attributes, enclaveReportAt.attributes, 'hex')
  enclaveReport.write('e5'.repeat(32), enclaveReportAt.mrEnclave, 'hex')
  enclaveReport.write(signer.enclave.mrSigner, enclaveReportAt.mrSigner, 'hex')
  enclaveReport.writeUInt16LE(signer.enclave.isvProdId, enclaveReportAt.isvProdId)
  enclaveReport.writeUInt16LE(signer.enclave.isvSvn, enclaveReportAt.isvSvn)
  enclaveReport.set(createHash('sha256').update(signer.attestation.point).update(extra).digest(), enclaveReportAt.reportData)
  faults.enclaveReport?.(enclaveReport)

  const enclaveSignature = signedRaw(enclaveReport, signer.pck)
  faults.enclaveSignature?.(enclaveSignature)
  const chain = Buffer.from(`${signer.chain.map(pem).join('')}\0`)
  const certification = Buffer.concat([enclaveReport, enclaveSignature, u16(extra.length), extra, u16(5), u32(chain.length), chain])
  const certified = faults.certification?.(certification) ?? certification

  const signature = signedRaw(report, signer.attestation)
  faults.signature?.(signature)
  const signed = Buffer.concat([signature, signer.attestation.point, u16(6), u32(certified.length), certified])
  return Buffer.concat([report, u32(signed.length), signed])
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
