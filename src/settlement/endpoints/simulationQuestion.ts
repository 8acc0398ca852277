import { rpc } from '@stellar/stellar-sdk'
import type { StellarRpc } from '../stellarRpc.ts'
import { ContractRefusal } from '../contractRefusal.ts'
import { restoredBy } from '../contractView.ts'
import { checkLedger, largest, reachedBy } from './panel.ts'
import type { Question } from './panel.ts'

type Answer = rpc.Api.SimulateTransactionResponse

/** What a call came to: the value it gave, and what of the archive it would bring back, or why it was refused. What it would cost may differ between versions of a server. */
const outcomeOf = (answer: Answer): string => {
  if (rpc.Api.isSimulationError(answer)) return new ContractRefusal(answer.error).message
  // Not as it says it, by places in a list of all that is touched, which a server may write in an order of its own.
  return `gives ${answer.result?.retval.toXdr('base64') ?? 'nothing'} ${restoredBy(answer).toSorted().join(' ')}`
}

const costOf = (answer: Answer): bigint => (rpc.Api.isSimulationError(answer) ? 0n : BigInt(answer.minResourceFee))

const contradicts = (one: Answer, other: Answer): boolean => one.latestLedger === other.latestLedger && outcomeOf(one) !== outcomeOf(other)

/** What a call would come to as the chain stands: what a quorum says, with the cost that the middle one of them names. */
export const simulationQuestion = (notBefore: number, ...call: Parameters<StellarRpc['simulateTransaction']>): Question<Answer, Answer> => ({
  what: 'a simulation',
  ask: (server) => server.simulateTransaction(...call),
  check: (answer) => {
    checkLedger(answer.latestLedger)
    outcomeOf(answer)
    costOf(answer)
  },
  judge: (answers, quorum) => {
    const agreeing = largest(answers, outcomeOf, quorum)
    if (agreeing === undefined) return null
    const latestLedger = reachedBy(agreeing.map((answer) => answer.latestLedger), quorum)
    if (latestLedger < notBefore) return null
    const byCost = agreeing.toSorted((a, b) => Number(costOf(a) - costOf(b)))
    const middle = byCost[Math.floor(byCost.length / 2)] as Answer
    return {
      value: { ...middle, latestLedger },
      agrees: (answer) => outcomeOf(answer) === outcomeOf(middle) || (agreeing.some((other) => other.latestLedger === answer.latestLedger) ? false : null),
    }
  },
  contradicts,
})
