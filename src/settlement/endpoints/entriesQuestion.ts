import type { rpc, xdr } from '@stellar/stellar-sdk'
import { checkLedger, largest } from './panel.ts'
import type { Question } from './panel.ts'

type Answer = rpc.Api.GetLedgerEntriesResponse

/** All entries of an answer, in an order of their own. */
const contentOf = ({ entries }: Answer): string => entries.map(({ key, val }) => `${key.toXdr('base64')} ${val.toXdr('base64')}`).sort().join('\n')

const contradicts = (one: Answer, other: Answer): boolean => one.latestLedger === other.latestLedger && contentOf(one) !== contentOf(other)

/** Entries as a ledger shows them: as a quorum shows them of the very same one, since what they hold belongs to it. */
export const entriesQuestion = (...keys: xdr.LedgerKey[]): Question<Answer, Answer> => ({
  what: 'entries',
  ask: (server) => server.getLedgerEntries(...keys),
  check: (answer) => {
    checkLedger(answer.latestLedger)
    contentOf(answer)
  },
  judge: (answers, quorum) => {
    const [value] = largest(answers, (answer) => `${answer.latestLedger} ${contentOf(answer)}`, quorum) ?? []
    if (value === undefined) return null
    return { value, agrees: (answer) => (answer.latestLedger === value.latestLedger ? !contradicts(answer, value) : null) }
  },
  contradicts,
})
