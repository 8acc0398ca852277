import type { ActorName } from '../../src/protocol/identity.ts'
import type { SettlementMachine } from '../../src/settlement/settlementMachine.ts'
import type { Verdict } from '../violation.ts'

export const BOOKS_AGREE = 'books agree'

/** The venue holds its own books against the contract's balances all the time (docs/settlement.md, "Reconciliation"). They never part here, whatever goes wrong: where it says so, either they do or it errs. */
export function checkBooksAgree(actor: ActorName, { differences }: SettlementMachine, verdict: Verdict): void {
  const [one] = differences
  if (one !== undefined) verdict.broken(BOOKS_AGREE, `${actor} was told that books and chain part at ledger ${one.ledger}`)
}
