import { rpc } from '@stellar/stellar-sdk'
import type { xdr } from '@stellar/stellar-sdk'
import type { Log } from '../../actors/runtime/log.ts'
import { rpcEndpoints } from '../../protocol/venueMeaning.ts'
import type { VenueFile } from '../../protocol/venue.ts'
import { openRpc } from '../stellarRpc.ts'
import type { LedgerReader, StellarRpc } from '../stellarRpc.ts'
import { entriesQuestion } from './entriesQuestion.ts'
import { eventsQuestion } from './eventsQuestion.ts'
import type { EventsRequest } from './eventsQuestion.ts'
import { Panel, reachedBy } from './panel.ts'
import type { EndpointHealth, PanelOptions, Question, RpcMeter } from './panel.ts'
import { simulationQuestion } from './simulationQuestion.ts'
import { transactionQuestion } from './transactionQuestion.ts'

/** The endpoints of a venue's configuration as one. */
export const openEndpoints = (network: VenueFile['network'], log: Log, meter?: RpcMeter): QuorumRpc =>
  new QuorumRpc({ endpoints: rpcEndpoints(network).map((url) => ({ name: new URL(url).host, server: openRpc(url) })), quorum: network.rpcQuorum, log, meter })

/**
 * Several Stellar RPC endpoints as one. What it says of transactions, events, calls and time, a quorum of them says: as long as fewer lie, none of it is false.
 * Sequence numbers and fees are what a quorum reaches at least: a wrong one costs an attempt and moves nothing. What is sent goes to all.
 */
export class QuorumRpc implements StellarRpc, LedgerReader {
  readonly #panel: Panel
  readonly #endpoints: number
  /** Latest ledger that a quorum has spoken of: what is older is waited out, so that no caller sees the chain go back. */
  #ledger = 0

  constructor(options: PanelOptions) {
    this.#panel = new Panel(options)
    this.#endpoints = options.endpoints.length
  }

  /** Endpoints that contradict the others, by name. */
  get disagreeing(): readonly string[] {
    return this.#panel.disagreeing
  }

  get health(): EndpointHealth {
    return this.#panel.health
  }

  async getTransaction(hash: string): Promise<rpc.Api.GetTransactionResponse> {
    const answer = await this.#panel.ask(transactionQuestion(hash, this.#ledger))
    if (answer.status === rpc.Api.GetTransactionStatus.NOT_FOUND) this.#ledger = Math.max(this.#ledger, answer.latestLedger)
    return answer
  }

  getEvents(request: EventsRequest): Promise<rpc.Api.GetEventsResponse> {
    return this.#panel.ask(eventsQuestion(request, this.#endpoints))
  }

  async simulateTransaction(...call: Parameters<StellarRpc['simulateTransaction']>): Promise<rpc.Api.SimulateTransactionResponse> {
    const answer = await this.#panel.ask(simulationQuestion(this.#ledger, ...call))
    this.#ledger = Math.max(this.#ledger, answer.latestLedger)
    return answer
  }

  getLedgerEntries(...keys: xdr.LedgerKey[]): Promise<rpc.Api.GetLedgerEntriesResponse> {
    return this.#panel.ask(entriesQuestion(...keys))
  }

  getFeeStats(): Promise<rpc.Api.GetFeeStatsResponse> {
    return this.#panel.ask(reachedQuestion('fees', (server) => server.getFeeStats(), ({ sorobanInclusionFee }) => BigInt(sorobanInclusionFee.p80)))
  }

  getAccountEntry(address: string): Promise<xdr.AccountEntry> {
    return this.#panel.ask(reachedQuestion('an account', (server) => server.getAccountEntry(address), ({ seqNum }) => seqNum))
  }

  /** Taken, where one takes it. Refused, where all refuse it: one that does not answer may have it. @throws what a call threw where none answers */
  async sendTransaction(...call: Parameters<StellarRpc['sendTransaction']>): Promise<rpc.Api.SendTransactionResponse> {
    const isTaken = ({ status }: rpc.Api.SendTransactionResponse): boolean => status === 'PENDING' || status === 'DUPLICATE'
    const { answers, failures } = await this.#panel.tell((server) => server.sendTransaction(...call), isTaken)
    const [first] = answers
    if (first === undefined) throw failures[0]
    const taken = answers.find(isTaken) ?? answers.find(({ status }) => status === 'TRY_AGAIN_LATER')
    if (taken !== undefined || failures.length === 0) return taken ?? first
    return { ...first, status: 'TRY_AGAIN_LATER' }
  }
}

/** The answer whose amount a quorum reaches at least. Nobody contradicts another by a different one: it moves from ledger to ledger. */
const reachedQuestion = <Answer>(what: string, ask: (server: StellarRpc) => Promise<Answer>, amountOf: (answer: Answer) => bigint): Question<Answer, Answer> => ({
  what,
  ask,
  check: amountOf,
  judge: (answers, quorum) => {
    const reached = reachedBy(answers.map(amountOf), quorum)
    return { value: answers.find((answer) => amountOf(answer) === reached) as Answer, agrees: () => null }
  },
  contradicts: () => false,
})
