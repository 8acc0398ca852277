import type { xdr } from '@stellar/stellar-sdk'
import { execute } from '../transaction.ts'
import type { Applied, Signer } from '../transaction.ts'

/**
 * One thing to be done on chain, before anybody has signed it: shown, handed out, or done. Nothing where an earlier run has done it, so that whatever is made of
 * steps can be repeated at any point.
 */
export interface Step<Id> {
  /** For whoever decides on it. */
  readonly what: string
  /** null where there is nothing left to do. */
  readonly operation: xdr.Operation | null
  /** What the step made or set, from what its call gave. */
  readonly result: (returned: xdr.ScVal | undefined) => Id
}

/** What a step did. */
export interface Deployed<Id> {
  readonly id: Id
  /** The step's transaction; null where there was nothing to do. */
  readonly applied: Applied | null
}

/** Does it, with the key that pays and answers for it. */
export async function perform<Id>(signer: Signer, { operation, result }: Step<Id>): Promise<Deployed<Id>> {
  if (operation === null) return { id: result(undefined), applied: null }
  const applied = await execute(signer, operation)
  return { id: result(applied.returnValue), applied }
}
