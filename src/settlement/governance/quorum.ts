import { Keypair, StrKey } from '@stellar/stellar-sdk'
import type { Transaction } from '@stellar/stellar-sdk'
import { accountEntry } from '../accountEntry.ts'
import type { Network } from '../transaction.ts'

/** Who signs for an account, and how much of them it takes: keys alone, since what else the network lets sign (a preimage, a transaction by its hash) signs nothing here. */
export interface Quorum {
  readonly account: string
  /** Weight that a call of a contract needs: the account's medium threshold. */
  readonly needed: number
  readonly weights: ReadonlyMap<string, number>
}

export async function quorumOf({ server }: Network, account: string): Promise<Quorum> {
  const { thresholds, signers } = await accountEntry(server, account)
  const [master = 0, , medium = 0] = thresholds.value
  const weights = new Map(signers.flatMap(({ key, weight }) => (key.type === 'signerKeyTypeEd25519' ? [[StrKey.encodeEd25519PublicKey(key.value.value), weight] as const] : [])))
  // A threshold of zero is met by any valid signature, and by none without one.
  return { account, needed: Math.max(1, medium), weights: new Map([[account, master], ...weights].filter(([, weight]) => Number(weight) > 0) as [string, number][]) }
}

/** What a transaction's signatures come to. */
export interface Signed {
  readonly by: readonly string[]
  readonly weight: number
  /** Signatures of nobody who signs for the account: the network refuses a transaction that has any. */
  readonly strange: number
}

export function signedBy(transaction: Transaction, { weights }: Quorum): Signed {
  const hash = transaction.hash()
  const of = transaction.signatures.map(({ signature }) => [...weights.keys()].find((key) => Keypair.fromPublicKey(key).verify(hash, signature.value)))
  const by = [...new Set(of.filter((key) => key !== undefined))]
  return { by, weight: by.reduce((sum, key) => sum + (weights.get(key) ?? 0), 0), strange: of.filter((key) => key === undefined).length }
}
