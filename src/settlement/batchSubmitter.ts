import { FeeBumpTransaction, rpc, TransactionBuilder } from '@stellar/stellar-sdk'
import type { Keypair } from '@stellar/stellar-sdk'
import { systemClock } from '../actors/runtime/clock.ts'
import type { Clock } from '../actors/runtime/clock.ts'
import type { DrivenActor } from '../actors/runtime/driver.ts'
import type { Log } from '../actors/runtime/log.ts'
import type { Batch } from './batch.ts'
import { makeBatchTransaction, MOST_FEE_STROOPS, surgePrice, takesBatch } from './batchTransaction.ts'
import type { Step } from './driverLoop.ts'
import { findFault } from './faultSearch.ts'
import { bidOf, bumpFee, higherBid } from './feeBump.ts'
import type { Flight, Submission } from './flight.ts'
import type { ReconcilerOptions } from './reconciler.ts'
import { payerOf } from './sources.ts'
import { settledTransaction } from './settledTransaction.ts'
import type { BatchFault, SettlementLocal } from './settlementLocal.ts'
import type { SettlementMachine } from './settlementMachine.ts'
import type { SettlementMeters } from './settlementMeters.ts'
import { chainHead, closeTimeOf } from './stellarRpc.ts'
import type { ChainHead, Disagreement, StellarRpc } from './stellarRpc.ts'
import type { ChainChannel, VaultContract } from './vaultContract.ts'

/** A sleeping submitter is woken by new work; this only bounds how long a missed wake-up could last. */
const IDLE_MS = 5_000
const RETRY_FIRST_MS = 250
const RETRY_LONGEST_MS = 30_000
/** A transaction the network forgot is sent again after this time; the same bytes cannot apply twice. */
const RESEND_MS = 10_000
const DIVERGED_MS = 30_000
const ANOTHER_HISTORY = 'the channel on chain does not continue this history: the venue takes only cancels, nothing settles and nothing is co-signed'
/** What to do then. */
const PAGE = 'docs/operations/rolled-back-state.md'
/** Ledgers that a transaction waits before it is looked whether it bids too little, and again after each. */
const BUMP_LEDGERS = 3

export interface SubmitterOptions {
  readonly machine: SettlementMachine
  readonly server: StellarRpc & Partial<Disagreement>
  readonly vault: VaultContract
  readonly channel: number
  /** Source of the operation that settles: the key that the vault contract obeys. `anew`: something that was made with one did not apply. */
  readonly engine: (anew?: boolean) => Promise<Keypair>
  /** The key that the vault obeys for withdrawals, which is the default channel's; null where it is none of this venue's. The engine's unless given. */
  readonly cosigning?: () => Promise<Keypair | null>
  /** Accounts that pay for transactions in turn; the engine pays itself where there are none. */
  readonly sources?: () => Promise<readonly Keypair[]>
  /** Stroops below which a paying account is said to be low; `FEES_LOW_STROOPS` unless given. */
  readonly feesLow_stroops?: bigint
  /** The most that is bid for a transaction's place in a ledger, fee bump included; `MOST_FEE_STROOPS` unless given. */
  readonly mostFee_stroops?: bigint
  readonly poll_ms: number
  /** How long a transaction may wait for its ledger, in seconds of ledger time. */
  readonly lifetime_s: number
  /** How books of vault actors are held against the chain; they are not where it is not given. */
  readonly reconciling?: Pick<ReconcilerOptions, 'server' | 'assets' | 'every_ms'>
  readonly log: Log
  readonly clock?: Clock
  readonly meters?: SettlementMeters
}

/** Who pays for transactions. */
export async function payers({ engine, sources }: Pick<SubmitterOptions, 'engine' | 'sources'>): Promise<readonly Keypair[]> {
  const given = (await sources?.()) ?? []
  return given.length > 0 ? given : [await engine()]
}

/**
 * Takes the batch that is on its way to its end. The rule: a transaction is journaled before it is sent; while it may still apply, no
 * other one is made; and before one is made, the chain's own cursor is asked whether the batch has settled already.
 */
export class BatchSubmitter {
  readonly #options: SubmitterOptions
  readonly #actor: DrivenActor<SettlementLocal>
  readonly #clock: Clock
  /** The transaction this process made and has not sent: nobody else can have it. */
  #unsent: string | null = null
  #sent: { readonly hash: string; readonly at_ms: number } | null = null
  /** The latest ledger any answer spoke of. An answer from before it comes from a server that lags, and proves nothing. */
  #seenLedger = 0
  /** The last bid an operation for the transaction that waits, and the ledger by which that was not enough. */
  #bid: { readonly hash: string; readonly stroops: bigint; readonly ledger: number } | null = null
  /** Whether the log says that the chain holds another history. What follows from it is the machine's to know. */
  #told = false
  /** Whether this owner has found the channel on chain to be what the journal says. */
  #compared = false

  constructor(options: SubmitterOptions, actor: DrivenActor<SettlementLocal>) {
    this.#options = options
    this.#actor = actor
    this.#clock = options.clock ?? systemClock
  }

  /** Whether the chain was found to continue what this actor remembers. */
  get agrees(): boolean {
    return this.#compared && !this.#options.machine.diverged
  }

  async step(): Promise<Step> {
    const { flight } = this.#options.machine.work
    if (flight === null) return this.agrees ? { sleep_ms: IDLE_MS } : this.#compare()
    return flight.live ? this.#follow(flight, flight.live) : this.#submit(flight)
  }

  /**
   * Before the first batch. A disk that was set back holds a sound journal of yesterday, and only the chain knows better: what is sent was journaled before, so a channel that has gone on
   * without this journal was moved by what came after it. Asked until it agrees: the right journal, or the right network, may come back.
   */
  async #compare(): Promise<Step> {
    const { machine, server, vault, channel, log } = this.#options
    const onChain = await vault.getChannel(server, channel)
    this.#see(onChain.latestLedger)
    if (machine.work.flight !== null) return 'again'
    const { sequence } = machine.standing
    const agrees = this.#continues(onChain)
    if (agrees === machine.diverged) await this.#actor.submit({ kind: 'compared', agrees, chainEpoch: onChain.epoch, chainSequence: onChain.sequence })
    this.#compared = agrees
    if (agrees) {
      if (this.#told) log.info('settlement.submitter', 'the channel on chain continues this history again', { sequence })
      this.#told = false
      return 'again'
    }
    this.#tell(sequence, onChain)
    return { sleep_ms: DIVERGED_MS }
  }

  /** Whether the channel is what was settled last. @throws Error where the server lags: what has settled stays settled */
  #continues({ epoch, sequence, stateRoot }: ChainChannel): boolean {
    const { standing } = this.#options.machine
    if (sequence < standing.sequence) throw new Error(`the RPC shows sequence ${sequence} of the channel, and ${standing.sequence} has settled`)
    return epoch <= standing.epoch && sequence === standing.sequence && Buffer.from(stateRoot).equals(standing.stateRoot)
  }

  /** Makes the next transaction of a batch that has none alive. */
  async #submit(flight: Flight): Promise<Step> {
    const { machine, server, vault, channel, engine, lifetime_s, log } = this.#options
    const head = await chainHead(server)
    this.#see(head.ledger)
    const onChain = await vault.getChannel(server, channel)
    this.#see(onChain.latestLedger)
    if (onChain.sequence >= flight.sequence) return this.#settledBefore(flight, onChain, head)
    if (!this.#continues(onChain)) return this.#diverge(flight, onChain)
    this.#told = false
    this.#compared = true

    const key = await engine(flight.submissions.length > 0)
    const payer = payerOf(key, await payers(this.#options), flight, machine.feesLow)
    const made = await makeBatchTransaction({ server, vault, engine: key, payer, batch: flight.batch, head, lifetime_s, attempt: flight.submissions.length, mostFee_stroops: this.#mostFee })
    if ('refused' in made) {
      this.#see(made.latestLedger)
      // A given-up transaction of this batch could still apply until its time is over. Forming its trades into another batch before
      // then could settle them twice.
      if (head.closeTime <= flight.settlesUntil) return { sleep_ms: RETRY_FIRST_MS * 4 }
      log.warn('settlement.submitter', 'the chain does not take the batch: its trades go back to the queue', { sequence: flight.sequence, reason: made.refused })
      const fault = machine.work.search && !made.tooLarge ? await this.#findFault(flight) : null
      await this.#actor.submit({ kind: 'refused', ...flight.id, reason: made.refused, tooLarge: made.tooLarge, fault })
      return 'again'
    }
    await this.#actor.submit({ kind: 'submitted', ...flight.id, ...made, ledger: head.ledger })
    if (machine.work.flight?.live?.hash !== made.hash) throw new Error('the journal holds another transaction for the batch')
    this.#unsent = made.hash
    log.info('settlement.submitter', 'batch submitted', { sequence: flight.sequence, trades: flight.batch.trades.length, transaction: made.hash })
    return 'again'
  }

  async #findFault(flight: Flight): Promise<BatchFault | null> {
    const { machine, server, vault, engine, log } = this.#options
    const key = await engine()
    const takes = (batch: Batch): Promise<boolean | null> => takesBatch({ server, vault, engine: key, batch })
    // Where not even a batch that moves nothing is taken, the contract is paused or the engine is not its own: no trade is at fault.
    if ((await takes({ ...flight.batch, deltas: new Uint8Array(0) })) !== true) return null
    const fault = await findFault(flight.queued, (queued) => takes(machine.batchOf(queued)))
    if (fault !== null) log.error('settlement.submitter', 'trades that the chain does not take are set aside', {
        sequence: flight.sequence,
        trades: fault.aside.map((place) => flight.queued[place]?.trade.id).join(),
      })
    return fault
  }

  /** Follows a transaction whose outcome is unknown. */
  async #follow(flight: Flight, submission: Submission): Promise<Step> {
    const { server, poll_ms, log } = this.#options
    const { hash, maxTime } = submission
    if (this.#unsent === hash) return this.#send(flight, submission)
    const answer = await server.getTransaction(hash)
    if (answer.status === rpc.Api.GetTransactionStatus.SUCCESS) {
      log.info('settlement.submitter', 'batch settled', { sequence: flight.sequence, transaction: hash, ledger: answer.ledger })
      await this.#actor.submit({ kind: 'confirmed', ...flight.id, hash, ledger: answer.ledger })
      this.#options.meters?.settled(flight, answer.resultXdr.feeCharged, this.#clock.now())
      return 'again'
    }
    this.#see(answer.latestLedger)
    if (answer.status === rpc.Api.GetTransactionStatus.FAILED) {
      this.#options.meters?.charged(answer.resultXdr.feeCharged)
      return this.#bury(flight, submission, answer.resultXdr.result.type)
    }
    // Final only together: not found, in an answer whose latest ledger closed after the transaction's time.
    if (closeTimeOf(answer) > maxTime) return this.#bury(flight, submission, 'expired')
    await this.#outbid(flight, submission, answer.latestLedger)
    if (this.#sent?.hash !== hash || this.#clock.passed() - this.#sent.at_ms >= RESEND_MS) return this.#send(flight, submission)
    return { sleep_ms: poll_ms }
  }

  /** Bids more for a transaction that has waited while places cost more than it bids. Whatever comes of it, the transaction is the same. */
  async #outbid(flight: Flight, { hash, envelope, ledger }: Submission, latestLedger: number): Promise<void> {
    const { server, vault, machine, engine, log } = this.#options
    if (this.#bid?.hash !== hash) this.#bid = null
    if (latestLedger < (this.#bid?.ledger ?? ledger) + BUMP_LEDGERS) return
    const inner = TransactionBuilder.fromXdr(envelope, vault.passphrase)
    if (inner instanceof FeeBumpTransaction) throw new Error('a batch was submitted within a fee bump')
    const bid = this.#bid?.stroops ?? bidOf(inner)
    const higher = higherBid(bid, await surgePrice(server), this.#mostFee)
    this.#bid = { hash, stroops: higher ?? bid, ledger: latestLedger }
    if (higher === null) return
    // The next one's turn: the one that pays for the transaction itself may be what holds it up.
    const payer = payerOf(await engine(), await payers(this.#options), flight, machine.feesLow)
    const { status } = await server.sendTransaction(bumpFee(inner, payer, higher))
    log.info('settlement.submitter', 'the transaction waits while others bid more: its fee is bumped', { sequence: flight.sequence, transaction: hash, bid: Number(higher), status })
  }

  get #mostFee(): bigint {
    return this.#options.mostFee_stroops ?? MOST_FEE_STROOPS
  }

  async #send(flight: Flight, submission: Submission): Promise<Step> {
    const { server, vault, poll_ms } = this.#options
    const { hash, envelope } = submission
    const first = this.#unsent === hash
    // Before the call: if it fails half-way, the transaction may be out.
    this.#unsent = null
    const answer = await server.sendTransaction(TransactionBuilder.fromXdr(envelope, vault.passphrase))
    if (answer.status === 'PENDING' || answer.status === 'DUPLICATE') this.#sent = { hash, at_ms: this.#clock.passed() }
    if (answer.status !== 'ERROR') return { sleep_ms: poll_ms }
    // Refused at the door and never sent before: no validator holds it. Sent before, the refusal may only mean that it has applied
    // (txBAD_SEQ); then its hash or the end of its time decides.
    if (first) return this.#bury(flight, submission, answer.errorResult?.result.type ?? 'refused')
    this.#sent = { hash, at_ms: this.#clock.passed() }
    return { sleep_ms: poll_ms }
  }

  async #bury(flight: Flight, { hash }: Submission, reason: string): Promise<Step> {
    this.#options.log.warn('settlement.submitter', 'transaction did not apply', { sequence: flight.sequence, transaction: hash, reason, attempts: flight.submissions.length })
    await this.#actor.submit({ kind: 'dead', ...flight.id, hash, reason })
    // Each attempt may cost a fee: not faster and faster into the same wall.
    return { sleep_ms: Math.min(RETRY_FIRST_MS * 2 ** Math.min(flight.submissions.length - 1, 20), RETRY_LONGEST_MS) }
  }

  /** The chain's cursor has passed the batch: it settled by a transaction that was thought dead, or the channel is not ours alone. */
  async #settledBefore(flight: Flight, onChain: ChainChannel, head: ChainHead): Promise<Step> {
    const { server, vault, channel, log } = this.#options
    const ours = onChain.sequence === flight.sequence && Buffer.from(onChain.stateRoot).equals(flight.batch.stateRoot)
    const found = ours ? await settledTransaction({ server, vault, channel, flight, head }) : null
    if (found === null) return this.#diverge(flight, onChain)
    log.info('settlement.submitter', 'batch found settled', { sequence: flight.sequence, transaction: found.hash, ledger: found.ledger })
    await this.#actor.submit({ kind: 'confirmed', ...flight.id, ...found })
    return 'again'
  }

  async #diverge(flight: Flight, onChain: ChainChannel): Promise<Step> {
    this.#tell(flight.sequence, onChain)
    // The batch may have been formed while it was asked whether the chain agrees: then the machine has not been told.
    if (!this.#options.machine.diverged) await this.#actor.submit({ kind: 'diverged', ...flight.id, chainEpoch: onChain.epoch, chainSequence: onChain.sequence })
    return { sleep_ms: DIVERGED_MS }
  }

  /** Once, however often it is found. */
  #tell(sequence: number, { epoch, sequence: chainSequence }: ChainChannel): void {
    if (!this.#told) this.#options.log.error('settlement.submitter', ANOTHER_HISTORY, { sequence, chainSequence, chainEpoch: epoch, page: PAGE })
    this.#told = true
  }

  #see(ledger: number): void {
    if (ledger < this.#seenLedger) throw new Error(`the RPC is at ledger ${ledger}, behind ${this.#seenLedger} where it was before`)
    this.#seenLedger = ledger
  }
}
