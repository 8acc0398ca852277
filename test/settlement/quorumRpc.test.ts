import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { Contract, rpc, StrKey, xdr } from '@stellar/stellar-sdk'
import fc from 'fast-check'
import t from 'tap'
import type { Clock } from '../../src/actors/runtime/clock.ts'
import { systemClock } from '../../src/actors/runtime/clock.ts'
import { QuorumRpc } from '../../src/settlement/endpoints/quorumRpc.ts'
import { completeLedger, cursorLedger } from '../../src/settlement/eventCursor.ts'
import { closeTimeOf } from '../../src/settlement/stellarRpc.ts'
import type { LedgerReader, StellarRpc } from '../../src/settlement/stellarRpc.ts'
import { TestLog } from './waiting.ts'

type Event = rpc.Api.EventResponse
type Page = rpc.Api.GetEventsResponse
type Transaction = rpc.Api.GetTransactionResponse

const FIRST = 10
const TIP = 30
const HASH = 'ab'.repeat(32)
const contract = new Contract(StrKey.encodeContract(new Uint8Array(32)))
const closeTime = (ledger: number): number => 1_000 + 5 * ledger
const cursorOf = (ledger: number, place: number): string => `${((BigInt(ledger) << 32n) | BigInt(place)).toString().padStart(19, '0')}-0000000000`
const endOf = (ledger: number): string => `${((BigInt(ledger + 1) << 32n) - 1n).toString().padStart(19, '0')}-4294967294`
const event = (ledger: number, place: number, value = place): Event =>
  ({ id: cursorOf(ledger, place), ledger, txHash: HASH, contractId: contract, topic: [], value: xdr.ScVal.scvU32(value), inSuccessfulContractCall: true }) as unknown as Event

/** What has truly happened. */
interface Truth {
  /** Of the one transaction; null: it is in no ledger. */
  readonly found: { readonly ledger: number; readonly succeeded: boolean } | null
  readonly events: readonly Event[]
}

const clock: Clock = { ...systemClock, after: (_delay, call) => (void setImmediate().then(call), () => undefined) }

/** A server that tells the truth as of its ledger, which comes nearer to the tip with each question. */
class Honest {
  asOf: number
  readonly #truth: Truth

  constructor(truth: Truth, behind: number) {
    this.#truth = truth
    this.asOf = TIP - behind
  }

  get head() {
    return { latestLedger: this.asOf, latestLedgerCloseTime: String(closeTime(this.asOf)), oldestLedger: FIRST, oldestLedgerCloseTime: '1' }
  }

  getTransaction = async (txHash: string): Promise<Transaction> => {
    this.asOf = Math.min(TIP, this.asOf + 1)
    const { found } = this.#truth
    if (found === null || found.ledger > this.asOf) return { status: 'NOT_FOUND', txHash, ...this.head } as unknown as Transaction
    return transactionIn(found.ledger, found.succeeded, this.head)
  }

  getEvents = async (request: Parameters<StellarRpc['getEvents']>[0]): Promise<Page> => {
    this.asOf = Math.min(TIP, this.asOf + 1)
    const { cursor, startLedger = 0, limit = 100 } = request
    const fromLedger = cursor === undefined ? startLedger : cursorLedger(cursor)
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- what the SDK throws
    if (fromLedger > this.asOf) throw { code: -32_600, message: 'startLedger must be within the ledger range' }
    const events = this.#truth.events.filter(({ id, ledger }) => ledger <= this.asOf && (cursor === undefined ? ledger >= startLedger : id > cursor)).slice(0, limit)
    const last = events.at(-1)
    const end = endOf(this.asOf)
    return { events, cursor: events.length === limit && last ? last.id : cursor !== undefined && cursor > end ? cursor : end, ...this.head }
  }
}

/** With whatever it is, as the SDK throws what came. */
const rejection = (error: unknown): Promise<never> => Promise.resolve().then(() => {
  throw error
})

const transactionIn = (ledger: number, succeeded: boolean, head: object): Transaction =>
  ({ status: succeeded ? 'SUCCESS' : 'FAILED', txHash: HASH, ledger, createdAt: closeTime(ledger), resultXdr: { result: { type: succeeded ? 'txSuccess' : 'txFailed' } }, ...head }) as unknown as Transaction

const lies = ['found', 'missing', 'later', 'garbage', 'down', 'dropped', 'added', 'changed', 'midLedger'] as const
type Lie = (typeof lies)[number]

/** One of those that lie, all of them the same: what they say depends on what the honest say, on the lie and on nothing else. */
function liar(honest: Honest, nextLie: () => Lie): Pick<StellarRpc, 'getTransaction' | 'getEvents'> {
  return {
    getTransaction: async (hash) => {
      const answer = await honest.getTransaction(hash)
      const lie = nextLie()
      if (lie === 'down') throw new Error('down')
      if (lie === 'found') return transactionIn(TIP - 3, true, honest.head)
      if (lie === 'garbage') return { ...answer, latestLedgerCloseTime: 0, latestLedger: Number.NaN }
      const missing = { status: 'NOT_FOUND', txHash: hash, ...honest.head }
      return (lie === 'later' ? { ...missing, latestLedger: 1_000_000, latestLedgerCloseTime: '99999999' } : missing) as unknown as Transaction
    },
    getEvents: async (request) => {
      const lie = nextLie()
      if (lie === 'down') throw new Error('down')
      const page = await honest.getEvents(request)
      if (lie === 'dropped') return { ...page, events: page.events.slice(1) }
      if (lie === 'added') return { ...page, events: [...page.events, event(honest.asOf, 77)] }
      if (lie === 'changed') return { ...page, events: page.events.map(({ ledger }, place) => event(ledger, place, 1_000_000)) }
      if (lie === 'midLedger') return { ...page, cursor: cursorOf(honest.asOf, 0) }
      if (lie === 'later') return { ...page, events: [], cursor: endOf(1_000_000), latestLedger: 1_000_000 }
      return lie === 'garbage' ? { ...page, cursor: 'nonsense' } : page
    },
  }
}

const truths = fc.record({
  found: fc.option(fc.record({ ledger: fc.integer({ min: FIRST, max: TIP }), succeeded: fc.boolean() })),
  events: fc.array(fc.integer({ min: FIRST, max: TIP }), { maxLength: 25 }).map((ledgers) => ledgers.toSorted((a, b) => a - b).map((ledger, place) => event(ledger, place + 1))),
})

t.test('with fewer liars than a quorum, however they lie together and whoever is behind or down: nothing that is said is false, and all of it is said in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      truths,
      // How far behind the honest are, and how many lie: always a majority tells the truth.
      fc.array(fc.nat(4), { minLength: 2, maxLength: 4 }).chain((behind) => fc.tuple(fc.constant(behind), fc.nat(behind.length - 1))),
      fc.array(fc.constantFrom(...lies), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 6 }),
      async (truth, [behind, liars], told, limit) => {
        let question = 0
        const endpoints = [
          ...behind.map((by) => new Honest(truth, by)),
          ...Array.from({ length: liars }, () => liar(new Honest(truth, 0), () => told[question % told.length] as Lie)),
        ].map((server, n) => ({ name: `e${n}`, server: server as unknown as StellarRpc & LedgerReader }))
        const quorum = new QuorumRpc({ endpoints, log: new TestLog(), clock })
        let ledger = 0
        for (; question < 12; question++) {
          const answer = await quorum.getTransaction(HASH)
          if (answer.status === rpc.Api.GetTransactionStatus.NOT_FOUND) {
            assert.ok(answer.latestLedger >= ledger, 'the chain never goes back')
            ledger = answer.latestLedger
            assert.ok(ledger <= TIP && closeTimeOf(answer) <= closeTime(TIP))
            assert.ok(truth.found === null || (truth.found.ledger > ledger && closeTimeOf(answer) < closeTime(truth.found.ledger)))
          } else assert.deepEqual({ ledger: answer.ledger, succeeded: answer.status === rpc.Api.GetTransactionStatus.SUCCESS }, { ...truth.found })
        }
        const read: Event[] = []
        let complete = FIRST - 1
        let cursor: string | undefined
        for (; complete < TIP && question < 80; question++) {
          const page: Page = await quorum.getEvents({ filters: [], limit, ...(cursor === undefined ? { startLedger: FIRST } : { cursor }) })
          for (const { ledger: of } of page.events) assert.ok(of > complete, 'what was said to be complete was')
          read.push(...page.events)
          complete = Math.max(complete, completeLedger(page.cursor, page.events.length, limit))
          cursor = page.cursor
          assert.deepEqual(
            read.map(({ id, value }) => [id, value]),
            truth.events.slice(0, read.length).map(({ id, value }) => [id, value]),
          )
          assert.ok(truth.events.every(({ ledger: of }, place) => of > complete || place < read.length))
        }
        assert.equal(complete, TIP)
      },
    ),
    { numRuns: 150 },
  )
})

t.test('an endpoint that contradicts the others is named, does not count, and counts again once it agrees', async (t) => {
  const truth: Truth = { found: null, events: [event(12, 1), event(14, 2)] }
  let lie: Lie = 'added'
  const honest = [new Honest(truth, 0), new Honest(truth, 0)]
  const log = new TestLog()
  const endpoints = [...honest, liar(new Honest(truth, 0), () => lie)].map((server, n) => ({ name: `e${n}`, server: server as unknown as StellarRpc & LedgerReader }))
  const quorum = new QuorumRpc({ endpoints, log, clock })
  const read = async (): Promise<void> => {
    t.equal((await quorum.getEvents({ filters: [], startLedger: FIRST })).events.length, 2)
    await setImmediate()
  }
  await read()
  t.same(quorum.disagreeing, ['e2'])
  t.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
  lie = 'missing'
  for (let n = 0; n < 9; n++) await read()
  t.same(quorum.disagreeing, ['e2'], 'not at once')
  await read()
  t.same(quorum.disagreeing, [])
})

t.test('two that contradict each other are both named, and nothing is believed until they agree', async (t) => {
  const truth: Truth = { found: null, events: [event(12, 1)] }
  let lie: Lie = 'dropped'
  const endpoints = [new Honest(truth, 0), liar(new Honest(truth, 0), () => lie)].map((server, n) => ({ name: `e${n}`, server: server as unknown as StellarRpc & LedgerReader }))
  const quorum = new QuorumRpc({ endpoints, log: new TestLog(), clock })
  await t.rejects(quorum.getEvents({ filters: [], startLedger: FIRST }), /contradict each other about events/)
  t.same(quorum.disagreeing, ['e0', 'e1'])
  lie = 'found'
  await t.rejects(quorum.getTransaction(HASH), /contradict/)
  lie = 'missing'
  t.equal((await quorum.getEvents({ filters: [], startLedger: FIRST })).events.length, 1)
  t.same(quorum.disagreeing, [])
})

t.test('what no server keeps is said as a server says it; one alone is not believed where there are two', async (t) => {
  const trimmed = { getEvents: () => rejection({ code: -32_600, message: 'startLedger must be within the ledger range' }) }
  const both = new QuorumRpc({ endpoints: [trimmed, trimmed].map((server, n) => ({ name: `e${n}`, server: server as unknown as StellarRpc & LedgerReader })), log: new TestLog(), clock })
  await t.rejects(both.getEvents({ filters: [], startLedger: 1 }), { code: -32_600 })
  const down = { getTransaction: () => Promise.reject(new Error('down')) }
  const alone = new QuorumRpc({ endpoints: [new Honest({ found: null, events: [] }, 0), down].map((server, n) => ({ name: `e${n}`, server: server as unknown as StellarRpc & LedgerReader })), log: new TestLog(), clock })
  await t.rejects(alone.getTransaction(HASH), /too few of 2/)
})

t.test('entries are what a quorum shows of the same ledger', async (t) => {
  const shown = (ledger: number, value: number): object => ({ latestLedger: ledger, entries: [{ key: xdr.ScVal.scvU32(1), val: xdr.ScVal.scvU32(value) }] })
  const read = async (...says: (() => object)[]): Promise<{ readonly ledger: number; readonly value: string | undefined; readonly disagreeing: readonly string[] }> => {
    const endpoints = says.map((say, n) => ({ name: `e${n}`, server: { getLedgerEntries: async () => say() } as unknown as StellarRpc & LedgerReader }))
    const rpc = new QuorumRpc({ endpoints, log: new TestLog(), clock })
    const { latestLedger, entries } = await rpc.getLedgerEntries()
    return { ledger: latestLedger, value: entries[0]?.val.toXdr('base64'), disagreeing: rpc.disagreeing }
  }
  const right = xdr.ScVal.scvU32(7).toXdr('base64')
  t.match(await read(() => shown(5, 8), () => shown(5, 7), () => shown(5, 7)), { ledger: 5, value: right, disagreeing: ['e0'] }, 'one that lies does not count')
  let behind = 3
  t.match(await read(() => shown(6, 7), () => shown(++behind, behind < 6 ? 1 : 7)), { ledger: 6, value: right, disagreeing: [] }, 'one that is behind is waited for')
  await t.rejects(read(() => shown(5, 7), () => shown(5, 8)), /contradict/, 'two that contradict each other are not believed')
})

t.test('what is sent goes to all; it is refused where all refuse it, and in doubt where one does not answer', async (t) => {
  const sent: number[] = []
  const server = (n: number, answer: string | Error): { name: string; server: StellarRpc & LedgerReader } => ({
    name: `e${n}`,
    server: {
      sendTransaction: async () => {
        sent.push(n)
        if (answer instanceof Error) throw answer
        return { status: answer }
      },
    } as unknown as StellarRpc & LedgerReader,
  })
  const send = async (...answers: (string | Error)[]): Promise<string> =>
    (await new QuorumRpc({ endpoints: answers.map((answer, n) => server(n, answer)), log: new TestLog(), clock }).sendTransaction({} as never)).status
  t.equal(await send('ERROR', 'PENDING', new Error('down')), 'PENDING')
  await setImmediate()
  t.same(sent.toSorted(), [0, 1, 2])
  t.equal(await send('ERROR', 'ERROR'), 'ERROR')
  t.equal(await send('ERROR', new Error('down')), 'TRY_AGAIN_LATER')
  t.equal(await send('ERROR', 'TRY_AGAIN_LATER'), 'TRY_AGAIN_LATER')
  await t.rejects(send(new Error('down'), new Error('down')), /down/)
})
