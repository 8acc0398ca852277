import type { xdr } from '@stellar/stellar-sdk'

/**
 * What one transaction may use on the public network (protocol 27, settings of 2026). A simulation does not check all of it, and a
 * transaction beyond a limit is refused only when it is sent.
 */
export const networkLimits = {
  instructions: 400_000_000,
  footprintEntries: 400,
  writeEntries: 200,
  writeBytes: 132_096,
  transactionBytes: 132_096,
} as const

/** The first limit that a prepared transaction exceeds. */
export function exceededLimit({ resources }: xdr.SorobanTransactionData, envelopeBytes: number): keyof typeof networkLimits | null {
  const { instructions, writeBytes, footprint } = resources
  const used: Record<keyof typeof networkLimits, number> = {
    instructions,
    footprintEntries: footprint.readOnly.length + footprint.readWrite.length,
    writeEntries: footprint.readWrite.length,
    writeBytes,
    transactionBytes: envelopeBytes,
  }
  for (const limit of Object.keys(networkLimits) as (keyof typeof networkLimits)[]) if (used[limit] > networkLimits[limit]) return limit
  return null
}
