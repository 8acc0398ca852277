import type { rpc } from '@stellar/stellar-sdk'
import { completeLedger, cursorPosition, endOfLedger } from '../eventCursor.ts'
import type { StellarRpc } from '../stellarRpc.ts'
import { checkLedger, heldBy, largest, reachedBy } from './panel.ts'
import type { Question } from './panel.ts'

export type EventsRequest = Parameters<StellarRpc['getEvents']>[0]
type Page = rpc.Api.GetEventsResponse

/** A page with what it says in a form that can be compared. */
interface Read {
  readonly page: Page
  /** The last ledger of which it has everything. */
  readonly complete: number
  readonly full: boolean
  /** All there is to each event, in order. */
  readonly facts: readonly string[]
}

const DEFAULT_LIMIT = 100

const factOf = ({ id, ledger, txHash, contractId, topic, value, inSuccessfulContractCall }: rpc.Api.EventResponse): string =>
  [id, ledger, txHash, contractId?.contractId(), inSuccessfulContractCall, ...[...topic, value].map((part) => part.toXdr('base64'))].join()

/** What a page says of the ledgers up to one. */
const upTo = ({ page, facts }: Read, ledger: number): string => facts.filter((_fact, at) => (page.events[at] as rpc.Api.EventResponse).ledger <= ledger).join('\n')

/** The pages can be compared as far as both are complete, or to their ends where both stopped at the limit. */
const differ = (one: Read, other: Read): boolean => {
  if (one.full && other.full) return one.facts.join('\n') !== other.facts.join('\n')
  const common = Math.min(one.complete, other.complete)
  return upTo(one, common) !== upTo(other, common)
}

/**
 * The events of a range that a quorum has: a page that stopped at the limit where they all stopped there, and otherwise those of the ledgers that a quorum has
 * completely. Its cursor is at the end of the last of them, whatever any server's cursor says.
 */
export function eventsQuestion(request: EventsRequest, endpoints: number): Question<Read, Page> {
  const limit = request.limit ?? DEFAULT_LIMIT
  const after = request.cursor
  return {
    what: 'events',
    ask: async (server) => {
      const page = await server.getEvents(request)
      return { page, complete: completeLedger(page.cursor, page.events.length, limit), full: page.events.length >= limit, facts: page.events.map(factOf) }
    },
    check: ({ page }) => {
      for (const ledger of [page.latestLedger, page.oldestLedger, ...page.events.map((event) => event.ledger)]) checkLedger(ledger)
      if (page.events.length > limit) throw new Error('the RPC gives more events than it was asked for')
    },
    judge: (answers, quorum) => {
      const first = answers[0]
      if (endpoints === 1 && first !== undefined) return { value: first.page, agrees: () => true }
      const agreeing = largest(answers.filter(({ full }) => full), ({ facts }) => facts.join('\n'), quorum)
      if (agreeing !== undefined) {
        const [read] = agreeing as [Read]
        // By its last event, which they all have.
        const cursor = (read.page.events.at(-1) as rpc.Api.EventResponse).id
        return { value: { ...read.page, ...windowOf(agreeing, quorum), cursor }, agrees: (answer) => !differ(answer, read) }
      }
      const complete = reachedBy(answers.map((answer) => answer.complete), quorum)
      if (after === undefined && complete < (request.startLedger ?? 0)) return null
      const together = largest(answers.filter((answer) => answer.complete >= complete), (answer) => upTo(answer, complete), quorum)
      const [read] = together ?? []
      if (together === undefined || read === undefined) return null
      const end = endOfLedger(complete)
      const behind = after !== undefined && cursorPosition(end) <= cursorPosition(after)
      const events = behind ? [] : read.page.events.filter(({ ledger }) => ledger <= complete)
      return {
        value: { ...read.page, ...windowOf(together, quorum), events, cursor: behind ? after : end },
        agrees: (answer) => {
          const common = Math.min(answer.complete, complete)
          return upTo(answer, common) === upTo(read, common)
        },
      }
    },
    contradicts: differ,
  }
}

const windowOf = (reads: readonly Read[], quorum: number): Pick<Page, 'latestLedger' | 'oldestLedger'> => ({
  latestLedger: reachedBy(reads.map(({ page }) => page.latestLedger), quorum),
  oldestLedger: heldBy(reads.map(({ page }) => page.oldestLedger), quorum),
})
