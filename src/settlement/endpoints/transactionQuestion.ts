import { rpc } from '@stellar/stellar-sdk'
import { closeTimeOf } from '../stellarRpc.ts'
import { checkLedger, heldBy, largest, reachedBy } from './panel.ts'
import type { Question, Verdict } from './panel.ts'

type Answer = rpc.Api.GetTransactionResponse
type Missing = rpc.Api.GetMissingTransactionResponse
type Found = Exclude<Answer, Missing>

/** A server that is further ahead of a quorum than this has made its ledgers up. */
const AHEAD_LEDGERS = 12

const isFound = (answer: Answer): answer is Found => answer.status !== rpc.Api.GetTransactionStatus.NOT_FOUND

/** What a server says of a transaction that is in a ledger: final, and the same everywhere. */
const factOf = ({ status, ledger, resultXdr }: Found): string => `${status} ${ledger} ${resultXdr.result.type}`

/** That a transaction was not in any ledger up to one, which closed at a time. */
interface Absence {
  readonly ledger: number
  readonly closeTime: number
  readonly oldest: number
}

const absenceOf = (answer: Missing): Absence => ({ ledger: answer.latestLedger, closeTime: closeTimeOf(answer), oldest: answer.oldestLedger })
/** A server that has found it says as well that it was in no ledger before. */
const absenceBefore = ({ ledger, createdAt, oldestLedger }: Found): Absence => ({ ledger: ledger - 1, closeTime: Number(createdAt) - 1, oldest: oldestLedger })

/** A server that should have had the transaction by then, and does not. */
const misses = (missing: Missing, { ledger }: Found): boolean => missing.latestLedger >= ledger && missing.oldestLedger <= ledger

/**
 * What became of a transaction, and how far the chain is: found, where a quorum found it in the same ledger with the same result; otherwise not found, as of the
 * latest ledger that a quorum has reached, and of the latest time.
 */
export const transactionQuestion = (hash: string, notBefore: number): Question<Answer, Answer> => ({
  what: 'a transaction',
  ask: (server) => server.getTransaction(hash),
  check: (answer) => {
    for (const ledger of [answer.latestLedger, answer.oldestLedger, ...(isFound(answer) ? [answer.ledger] : [])]) checkLedger(ledger)
    closeTimeOf(answer)
    if (isFound(answer)) factOf(answer)
  },
  judge: (answers, quorum, all) => {
    const found = largest(answers.filter(isFound), factOf, quorum)?.[0]
    if (found !== undefined) return foundVerdict(found)
    const missing = answers.filter((answer) => !isFound(answer))
    if (missing.length >= quorum) return absentVerdict(hash, missing.map(absenceOf), quorum, notBefore)
    const torn = answers.some((one) => answers.some((other) => contradicts(one, other)))
    if (!all || torn) return null
    return absentVerdict(hash, answers.map((answer) => (isFound(answer) ? absenceBefore(answer) : absenceOf(answer))), quorum, notBefore)
  },
  contradicts,
})

const foundVerdict = (found: Found): Verdict<Answer, Answer> => ({
  value: found,
  agrees: (answer) => (isFound(answer) ? factOf(answer) === factOf(found) : misses(answer, found) ? false : null),
})

function absentVerdict(hash: string, absences: readonly Absence[], quorum: number, notBefore: number): Verdict<Answer, Answer> | null {
  const ledger = reachedBy(absences.map((absence) => absence.ledger), quorum)
  if (ledger < notBefore) return null
  const closeTime = reachedBy(absences.map((absence) => absence.closeTime), quorum)
  const oldest = heldBy(absences.map((absence) => absence.oldest), quorum)
  return {
    value: { status: rpc.Api.GetTransactionStatus.NOT_FOUND, txHash: hash, latestLedger: ledger, latestLedgerCloseTime: closeTime, oldestLedger: oldest, oldestLedgerCloseTime: 0 },
    agrees: (answer, answers) => {
      if (isFound(answer)) return answer.ledger <= ledger ? false : null
      if (answers.filter((other) => other.latestLedger < answer.latestLedger - AHEAD_LEDGERS).length >= quorum) return false
      // A ledger has one close time.
      const ofSame = answers.filter((other) => !isFound(other) && other.latestLedger === answer.latestLedger)
      const time = largest(ofSame, (other) => String(closeTimeOf(other)), quorum)?.[0]
      return time === undefined ? null : closeTimeOf(time) === closeTimeOf(answer)
    },
  }
}

function contradicts(one: Answer, other: Answer): boolean {
  if (isFound(one)) return isFound(other) ? factOf(one) !== factOf(other) : misses(other, one)
  if (isFound(other)) return misses(one, other)
  return one.latestLedger === other.latestLedger && closeTimeOf(one) !== closeTimeOf(other)
}
