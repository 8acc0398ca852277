import type { rpc, xdr } from '@stellar/stellar-sdk'
import { checkLedger, largest } from './panel.ts'
import type { Question } from './panel.ts'

type Answer = rpc.Api.GetLedgerEntriesResponse

/** Each answer is held against several: it is written out once. */
const contents = new WeakMap<Answer, string>()

/** All entries of an answer, in an order of their own. */
function contentOf(answer: Answer): string {
  let content = contents.get(answer)
  if (content === undefined) {
    content = answer.entries.map(({ key, val }) => `${key.toXdr('base64')} ${val.toXdr('base64')}`).sort().join('\n')
    contents.set(answer, content)
  }
  return content
}

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
