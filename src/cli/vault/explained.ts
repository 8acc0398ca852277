import { ChainRefused, NeverSent, OutcomeUnknown } from '../../client/errors.ts'
import { contractErrors } from '../../settlement/contractErrors.ts'
import { ContractRefusal } from '../../settlement/contractRefusal.ts'
import { IssuerRefused } from '../../settlement/issuer.ts'
import { NoQuorum } from '../../settlement/endpoints/panel.ts'
import { faultOf } from '../../settlement/stellarRpc.ts'
import { TransactionFailed } from '../../settlement/transaction.ts'
import { Declined, UsageFault } from '../fault.ts'

/** What a sequence number that was used means to whoever waited for signatures. */
const ADVICE: Readonly<Record<string, string>> = {
  txBadSeq: 'the source account has made another transaction since: make this one anew',
  txInsufficientBalance: 'the source account cannot pay for it',
  txBadAuth: 'its signatures are too few',
  txBadAuthExtra: 'it has a signature that is not needed',
  expired: 'no ledger took it in its time: make it anew',
}

/** The endpoint could not be asked, or several do not agree, and nothing was sent. */
class Unreached extends NeverSent {
  constructor(cause: unknown) {
    super(cause)
    this.message = cause instanceof NoQuorum ? `Nothing was sent: ${cause.message}.` : `Nothing was sent: the Stellar RPC endpoint does not answer (${faultOf(cause)}).`
    this.name = 'Unreached'
  }
}

/** It was sent, and the endpoint was not heard of since. */
export class Doubtful extends OutcomeUnknown {
  constructor(cause: unknown, hash: string) {
    super(cause)
    this.message = `Transaction ${hash} was sent, and what became of it is not known (${faultOf(cause)}). Submitting the same transaction again is safe: it applies once.`
    this.name = 'Doubtful'
  }
}

/** The failure of a command on chain as what the command line knows: what was refused, what was never sent, what is in doubt. */
export function explained(error: unknown): unknown {
  if (error instanceof UsageFault || error instanceof Declined || error instanceof OutcomeUnknown) return error
  if (error instanceof ContractRefusal) return new ChainRefused(error.number === null ? error.message : `${error.message}, ${contractErrors[error.number] ?? 'of a contract that is not the vault'}`)
  if (error instanceof TransactionFailed) return new ChainRefused(`${error.code} (transaction ${error.hash})${ADVICE[error.code] === undefined ? '' : `: ${ADVICE[error.code]}`}`)
  if (error instanceof IssuerRefused) return new Declined(`${error.message}; --accept ${error.powers.join(',')} accepts them`, error)
  if (error instanceof NoQuorum || (error instanceof Error && error.name === 'AxiosError')) return new Unreached(error)
  return error instanceof Error ? error : new Error(faultOf(error))
}
