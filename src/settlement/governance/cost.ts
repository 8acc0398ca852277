import type { Transaction } from '@stellar/stellar-sdk'
import { bidOf } from '../feeBump.ts'

/** What a prepared call of a contract costs and uses, at most. */
export interface Cost {
  /** For what it uses; what it turns out not to have used of the refundable part is paid back. */
  readonly resourceFee_stroops: bigint
  /** For its place in a ledger. */
  readonly bid_stroops: bigint
  readonly instructions: number
  readonly readEntries: number
  readonly writeEntries: number
  readonly writeBytes: number
  readonly transactionBytes: number
}

export function costOf(transaction: Transaction): Cost {
  const envelope = transaction.toEnvelope()
  if (envelope.type !== 'envelopeTypeTx' || envelope.value.tx.ext.type !== 'sorobanData') throw new Error('a transaction that calls no contract')
  const { resourceFee, resources } = envelope.value.tx.ext.value
  const { instructions, writeBytes, footprint } = resources
  return {
    resourceFee_stroops: resourceFee,
    bid_stroops: bidOf(transaction),
    instructions,
    readEntries: footprint.readOnly.length + footprint.readWrite.length,
    writeEntries: footprint.readWrite.length,
    writeBytes,
    transactionBytes: envelope.toXdr().length,
  }
}
