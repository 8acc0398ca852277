import { TransactionBuilder } from '@stellar/stellar-sdk'
import type { FeeBumpTransaction, Keypair, Transaction } from '@stellar/stellar-sdk'

/** Validators let a transaction take the place of one that waits only where it bids this many times as much an operation. */
const OUTBIDS = 10n
/** A fee bump counts as one more operation. */
const OPERATIONS = 2n

/** What a transaction of one contract call bids for its place in a ledger, beyond what its resources cost. */
export function bidOf(transaction: Transaction): bigint {
  const envelope = transaction.toEnvelope()
  if (envelope.type !== 'envelopeTypeTx' || envelope.value.tx.ext.type !== 'sorobanData') throw new Error('a transaction that calls no contract')
  return BigInt(transaction.fee) - envelope.value.tx.ext.value.resourceFee
}

/**
 * What to bid an operation for a transaction that has bid too little: what places cost now, and at least ten times what was bid, but in the whole no more than the cap.
 * null where that does not outbid.
 * @param most_stroops the cap on what is paid for the place, beyond what resources cost
 */
export function higherBid(bid: bigint, surge: bigint, most_stroops: bigint): bigint | null {
  if (surge <= bid) return null
  const least = bid * OUTBIDS
  const wanted = surge > least ? surge : least
  const cap = most_stroops / OPERATIONS
  const next = wanted < cap ? wanted : cap
  return next < least ? null : next
}

/** The same transaction with a higher bid that another account pays. It applies once, with it or without; its own hash finds it either way. */
export function bumpFee(inner: Transaction, payer: Keypair, bid: bigint): FeeBumpTransaction {
  const bump = TransactionBuilder.buildFeeBumpTransaction(payer, bid.toString(), inner, inner.networkPassphrase)
  bump.sign(payer)
  return bump
}
