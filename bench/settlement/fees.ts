import { rpc } from '@stellar/stellar-sdk'
import type { StellarRpc } from '../../src/settlement/stellarRpc.ts'

/** What the chain has charged for a transaction, in stroops. */
export interface ChargedFees {
  /** Resources, inclusion and rent. */
  readonly all: bigint
  /** What entries that became new or longer paid to stay. */
  readonly rent: bigint
}

/** From the transaction's result and metadata. */
export async function chargedFees(server: Pick<StellarRpc, 'getTransaction'>, hash: string): Promise<ChargedFees> {
  const answer = await server.getTransaction(hash)
  if (answer.status !== rpc.Api.GetTransactionStatus.SUCCESS) throw new Error('the chain does not know a transaction that it has applied')
  const { resultMetaXdr: meta, resultXdr } = answer
  const paid = meta.type === 'v4' ? meta.value.sorobanMeta?.ext : undefined
  if (paid?.type !== 'v1') throw new Error('the chain does not say what it charged for')
  return { all: resultXdr.feeCharged, rent: paid.value.rentFeeCharged }
}

/** The sum of several. */
export async function chargedFeesOf(server: Pick<StellarRpc, 'getTransaction'>, hashes: readonly string[]): Promise<ChargedFees> {
  let sum: ChargedFees = { all: 0n, rent: 0n }
  for (const hash of hashes) {
    const { all, rent } = await chargedFees(server, hash)
    sum = { all: sum.all + all, rent: sum.rent + rent }
  }
  return sum
}
