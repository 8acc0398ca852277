import type { Effects, Machine } from '../actors/runtime/machine.ts'
import type { ReceiptSalts } from '../enclave/receiptSalts.ts'
import type { AccountId, ActorName, ContractId, MarketName, Milliseconds } from '../protocol/identity.ts'
import { packEntries, packHashes } from '../protocol/leaves.ts'
import { limits } from '../protocol/limits.ts'
import type { Answer } from '../protocol/packets.ts'
import type { Trade } from '../protocol/pair.ts'
import type { BooksDiffer, SettlementMessage } from '../protocol/settlement.ts'
import { settlementActor, vaultActor, vaultOf } from '../protocol/subjects.ts'
import type { SettlementReport } from '../protocol/vault.ts'
import { makeBatch } from './batch.ts'
import type { Batch } from './batch.ts'
import { Batching } from './batching.ts'
import type { BatchingOptions } from './batching.ts'
import { Cosigning } from './cosigning.ts'
import type { Cosign, CosignOutcome, CosignStanding } from './cosigning.ts'
import { Flight } from './flight.ts'
import type { MarketAssets } from './netting.ts'
import { ReceiptTree } from './receiptTree.ts'
import type { Confirmed, Read, Refused, SettlementLocal } from './settlementLocal.ts'
import { readSnapshot, takeSnapshot } from './settlementSnapshot.ts'
import type { Reconciled, SettledStatus, SettlementAlarm, SettlementQuery, SettlementStatus } from './settlementStatus.ts'
import { GENESIS_ROOT } from './stateRoot.ts'
import { tradePlace } from './tradePlace.ts'
import type { PlaceOf, QueuedTrade } from './tradeQueue.ts'

export interface SettlementOptions extends BatchingOptions {
  readonly channel: number
  readonly vaultPartitions: number
  readonly assetsOf: (market: MarketName) => MarketAssets
  readonly salts: ReceiptSalts
}

const ALARM_REFUSALS = 5
const LISTED_ASIDE = 100
const LISTED_DIFFERENCES = 100
/** A vault actor that has left so many messages has enough to hear: the next round of readings comes. */
const MOST_UNHEARD = 1_000
const ALARM_UNREGISTERED_MS = 60_000
/** Half of what there is room for. */
const ALARM_QUEUED = limits.unsettledTrades / 2

/** What the driver finds to do. */
export interface SettlementWork {
  readonly flight: Flight | null
  readonly cosign: Cosign | undefined
  /** Whether the trades at fault are to be looked for, should the chain not take the batch. */
  readonly search: boolean
}

/**
 * Gathers trades, forms batches, follows them to finality and reports. It never drops a trade: one is in the queue, in the batch on its
 * way, set aside, or settled, and each settles once, since the contract takes each sequence once and a batch keeps its sequence until it
 * is confirmed or known never to apply.
 */
export class SettlementMachine implements Machine<never, SettlementQuery, SettlementMessage, SettlementLocal> {
  readonly #options: SettlementOptions
  #indexes = new Map<AccountId, number>()
  readonly #placeOf: PlaceOf = ({ buyer, seller, market }) => {
    const [bought, sold] = [this.#indexes.get(buyer), this.#indexes.get(seller)]
    if (bought === undefined || sold === undefined) return undefined
    const { base, quote } = this.#options.assetsOf(market)
    return tradePlace(bought, sold, base, quote)
  }
  #batching: Batching
  #cosigning = new Cosigning()
  /** The engine's term on the channel: that of the actor's owner, so that a channel that a successor has moved on takes nothing of the one before. */
  #epoch = 1
  #flight: Flight | null = null
  /** Of the batch on its way; null where it is to be made again, since its machine began behind it. */
  #tree: ReceiptTree | null = null
  /** Messages of leaves stored so far. */
  #leaves = 0
  #settled: SettledStatus | null = null
  #stateRoot: Uint8Array = GENESIS_ROOT
  #diverged = false
  /** RPC endpoints that contradict the others. */
  #disagreeing: readonly string[] = []
  /** Accounts that pay for settlement and have little left. */
  #feesLow: readonly string[] = []
  #reconciled: Reconciled | null = null
  /** Where books and chain part: who has such a balance has nothing co-signed. */
  #differences = new Map<AccountId, Map<ContractId, BooksDiffer>>()
  #time = 0 as Milliseconds

  constructor(options: SettlementOptions) {
    this.#options = options
    this.#batching = new Batching(options, this.#placeOf)
  }

  /** The endpoints that were last said to disagree. */
  get disagreeing(): readonly string[] {
    return this.#disagreeing
  }

  /** The accounts that were last said to have little left. */
  get feesLow(): readonly string[] {
    return this.#feesLow
  }

  /** The contract's index of each account. */
  get indexes(): ReadonlyMap<AccountId, number> {
    return this.#indexes
  }

  /** The last batch that is known to be final. */
  get sequence(): number {
    return this.#settled?.sequence ?? 0
  }

  /** Where the books of vault actors and the chain part. */
  get differences(): readonly BooksDiffer[] {
    return [...this.#differences.values()].flatMap((assets) => [...assets.values()])
  }

  /** When the oldest trade came that is not settled; null where there is none. */
  get oldest(): Milliseconds | null {
    const first = [this.#flight?.queued[0], this.#batching.aside[0], this.#batching.first].flatMap((queued) => (queued === undefined ? [] : [queued.arrived]))
    return first.length === 0 ? null : (Math.min(...first) as Milliseconds)
  }

  get status(): SettlementStatus {
    const [flight, batching] = [this.#flight, this.#batching]
    return {
      channel: this.#options.channel,
      epoch: this.#epoch,
      queued: batching.queued,
      aside: { trades: batching.aside.length, first: batching.aside.slice(0, LISTED_ASIDE).map(({ trade }) => trade.id) },
      flight: flight && {
        sequence: flight.sequence,
        trades: flight.batch.trades.length,
        accounts: flight.batch.accounts.length,
        attempts: flight.submissions.length,
        hash: flight.live?.hash ?? null,
      },
      settled: this.#settled,
      refusals: batching.refusals,
      lastRefusal: batching.lastRefusal,
      disagreeing: this.#disagreeing,
      feesLow: this.#feesLow,
      cosigns: this.#cosigning.waiting,
      reconciled: this.#reconciled,
      differences: { balances: this.differences.length, first: this.differences.slice(0, LISTED_DIFFERENCES) },
      alarms: this.#alarms(),
    }
  }

  get work(): SettlementWork {
    return { flight: this.#flight, cosign: this.#cosigning.next, search: this.#batching.search }
  }

  /** Whether the channel on chain was last found not to continue this history. */
  get diverged(): boolean {
    return this.#diverged
  }

  /** Where the channel on chain stands by this history, but for the batch on its way. */
  get standing(): { readonly epoch: number; readonly sequence: number; readonly stateRoot: Uint8Array } {
    return { epoch: this.#epoch, sequence: this.sequence, stateRoot: this.#stateRoot }
  }

  /** Whether there is room for what an actor sends: markets wait while the chain takes nothing, and where it shows another history. What queued trades may wait for, an account's index, always has. */
  hasRoom(from: ActorName): boolean {
    return !from.startsWith('pair.') || (!this.#diverged && this.#batching.hasRoom)
  }

  /** Batches are formed here and not when a trade comes, so that all trades of one packet can share one. */
  advance(effects: Effects): void {
    this.#time = effects.time
    this.#epoch = effects.epoch
    if (this.#flight !== null) return
    this.#batching.advance(effects.time)
    const due = this.#batching.due()
    if (due !== null && due <= effects.time) this.#formBatch()
  }

  command(_command: never): never {
    throw new Error('the settlement actor takes no commands')
  }

  message(_from: ActorName, message: SettlementMessage, effects: Effects): void {
    switch (message.kind) {
      case 'trade':
        this.#batching.push({ trade: message, arrived: effects.time })
        return
      case 'registered': {
        const known = this.#indexes.get(message.account)
        if (known !== undefined && known !== message.index) throw new Error('an account was registered with two indexes')
        this.#indexes.set(message.account, message.index)
        return
      }
      case 'cosign': {
        const decided = this.#cosigning.ask(message)
        if (decided !== undefined) this.#reportCosign(message, decided, effects)
        else if (this.#differences.has(message.account)) this.#cosigned(message.withdrawal, 'refused', effects)
        return
      }
      case 'differs': {
        const { kind: _kind, ...difference } = message
        this.#differ(difference, effects)
        return
      }
      case 'agrees': {
        const assets = this.#differences.get(message.account)
        assets?.delete(message.asset)
        if (assets?.size === 0) this.#differences.delete(message.account)
        return
      }
    }
  }

  /** Inputs for a batch that is no longer on its way are late repeats (a driver that was replaced); they change nothing. */
  local(input: SettlementLocal, effects: Effects): void {
    switch (input.kind) {
      case 'fees':
        this.#feesLow = input.low
        return
      case 'endpoints':
        this.#disagreeing = input.disagreeing
        return
      case 'read':
        return this.#tellHoldings(input, effects)
      case 'cosigned':
        return this.#cosigned(input.withdrawal, { authorization: input.authorization, validUntil: input.validUntil }, effects)
      case 'cosignRefused':
        return this.#cosigned(input.withdrawal, 'refused', effects)
      case 'compared':
        // Of a batch on its way the chain says more.
        if (this.#flight === null) this.#diverged = !input.agrees
        return
      case 'submitted':
      case 'dead':
      case 'confirmed':
      case 'refused':
      case 'diverged': {
        const flight = this.#flight
        if (flight === null || !flight.is(input)) return
        if (input.kind === 'confirmed') return this.#confirm(flight, input, effects)
        if (input.kind === 'refused') return this.#refuse(flight, input, effects.time)
        if (input.kind === 'diverged') {
          this.#diverged = true
          return
        }
        if (input.kind === 'submitted') {
          // A live one is never displaced. The driver looks whose hash stands here before it sends.
          if (flight.live === null) flight.submit(input)
          return
        }
        if (flight.live?.hash === input.hash) flight.live.dead = input.reason
      }
    }
  }

  query(query: SettlementQuery): Answer<SettlementStatus | readonly CosignStanding[]> {
    switch (query.kind) {
      case 'status':
        return { ok: this.status }
      case 'cosigns':
        return query.withdrawals.length > limits.listedOrders ? { refused: 'request_malformed' } : { ok: this.#cosigning.standing(query.withdrawals) }
      default:
        return { refused: 'request_malformed' }
    }
  }

  deadline(): Milliseconds | null {
    return this.#flight === null ? this.#batching.deadline() : null
  }

  /** A batch of some trades, as it would follow what has settled. */
  batchOf(queued: readonly QueuedTrade[]): Batch {
    return this.#batchOver(queued, this.#treeOf(queued.map(({ trade }) => trade), this.#nextSequence))
  }

  get #nextSequence(): number {
    return this.sequence + 1
  }

  #treeOf(trades: readonly Trade[], sequence: number): ReceiptTree {
    const { channel, salts, assetsOf } = this.#options
    return new ReceiptTree(trades, { channel, sequence, salts, assetsOf })
  }

  #batchOver(queued: readonly QueuedTrade[], { root }: ReceiptTree): Batch {
    return makeBatch({
      channel: this.#options.channel,
      epoch: this.#epoch,
      sequence: this.#nextSequence,
      previousRoot: this.#stateRoot,
      trades: queued.map(({ trade }) => trade),
      tradesRoot: root,
      assetsOf: this.#options.assetsOf,
      indexOf: (account) => this.#indexes.get(account),
    })
  }

  snapshot(): Uint8Array {
    return takeSnapshot({
      batching: this.#batching.state,
      indexes: this.#indexes,
      cosigning: this.#cosigning,
      flight: this.#flight,
      leaves: this.#leaves,
      settled: this.#settled,
      stateRoot: this.#stateRoot,
      diverged: this.#diverged,
      disagreeing: this.#disagreeing,
      feesLow: this.#feesLow,
      reconciled: this.#reconciled,
      differences: this.#differences,
      time: this.#time,
      epoch: this.#epoch,
    })
  }

  restore(bytes: Uint8Array): void {
    const state = readSnapshot(bytes)
    this.#batching = new Batching(this.#options, this.#placeOf, state.batching)
    this.#indexes = state.indexes
    this.#cosigning = state.cosigning
    this.#flight = state.flight
    this.#tree = null
    this.#leaves = state.leaves
    this.#settled = state.settled
    this.#stateRoot = state.stateRoot
    this.#diverged = state.diverged
    this.#disagreeing = state.disagreeing
    this.#feesLow = state.feesLow
    this.#reconciled = state.reconciled
    this.#differences = state.differences
    this.#time = state.time
    this.#epoch = state.epoch
  }

  #formBatch(): void {
    const queued = this.#batching.take()
    this.#tree = this.#treeOf(queued.map(({ trade }) => trade), this.#nextSequence)
    this.#flight = new Flight(this.#batchOver(queued, this.#tree), queued)
  }

  #confirm(flight: Flight, { hash, ledger }: Confirmed, effects: Effects): void {
    const { batch } = flight
    const tree = this.#tree ?? this.#treeOf(batch.trades, batch.sequence)
    const from = this.#leaves + 1
    for (const { account, trades, moves } of batch.accounts) {
      const report: SettlementReport = {
        kind: 'settled',
        account,
        trades,
        leaves: trades.map((trade) => tree.placeOf(trade, account)),
        size: tree.size,
        from,
        moves: moves.map((move) => ({ asset: move.asset.contract, in: move.in, out: move.out })),
        sequence: batch.sequence,
        transaction: hash,
        ledger,
      }
      effects.send(vaultOf(account, this.#options.vaultPartitions), report)
    }
    this.#storeLeaves(batch.sequence, tree, effects)
    this.#settled = { sequence: batch.sequence, transaction: hash, ledger }
    this.#stateRoot = batch.stateRoot
    this.#flight = null
    this.#tree = null
    this.#batching.settled()
    this.#diverged = false
  }

  /** What receipts are made of, once the batch is final: what is stored can be read by number from the first one on. */
  #storeLeaves(sequence: number, tree: ReceiptTree, effects: Effects): void {
    for (const { first, entries, path } of tree.pages()) {
      effects.publish({ v: 1, seq: ++this.#leaves, actor: settlementActor(this.#options.channel), type: 'leaves', sequence, first, entries: packEntries(entries), path: packHashes(path) })
    }
  }

  #refuse(flight: Flight, refused: Refused, time: Milliseconds): void {
    if (flight.live) throw new Error('a batch was refused while a transaction of it may still apply')
    this.#flight = null
    this.#tree = null
    this.#batching.refused(flight.queued, refused, time)
  }

  /** Every batch up to the one that the chain had come to then has been reported: a vault actor hears in order, so its books hold them all. */
  #tellHoldings({ ledger, sequence, assets, accounts, unseen = 0 }: Read, effects: Effects): void {
    if (sequence > this.sequence) return
    for (let partition = 0; partition < this.#options.vaultPartitions; partition++) {
      const vault = vaultActor(partition)
      const own = accounts.filter(({ account }) => vaultOf(account, this.#options.vaultPartitions) === vault)
      if (own.length === 0 || effects.backlog(vault) >= MOST_UNHEARD) continue
      const report: SettlementReport = { kind: 'holdings', ledger, assets, accounts: own }
      effects.send(vault, report)
    }
    this.#reconciled = { ledger, accounts: accounts.length, unseen }
  }

  #differ(difference: BooksDiffer, effects: Effects): void {
    const { account, asset } = difference
    const assets = this.#differences.get(account) ?? new Map<ContractId, BooksDiffer>()
    this.#differences.set(account, assets.set(asset, difference))
    for (const withdrawal of this.#cosigning.of(account)) this.#cosigned(withdrawal, 'refused', effects)
  }

  #cosigned(withdrawal: Cosign['withdrawal'], outcome: CosignOutcome, effects: Effects): void {
    const request = this.#cosigning.decide(withdrawal, outcome)
    if (request) this.#reportCosign(request, outcome, effects)
  }

  #reportCosign({ withdrawal, account }: Cosign, outcome: CosignOutcome, effects: Effects): void {
    const report: SettlementReport =
      outcome === 'refused' ? { kind: 'cosignRefused', withdrawal, account } : { kind: 'cosigned', withdrawal, account, ...outcome }
    effects.send(vaultOf(account, this.#options.vaultPartitions), report)
  }

  #alarms(): SettlementAlarm[] {
    const alarms: SettlementAlarm[] = []
    const { first, blocked, refusals, aside, queued } = this.#batching
    if (refusals >= ALARM_REFUSALS) alarms.push('refused')
    if (aside.length > 0) alarms.push('aside')
    if (first && blocked && this.#time - first.arrived > ALARM_UNREGISTERED_MS) alarms.push('unregistered')
    if (queued > ALARM_QUEUED) alarms.push('queue_long')
    if (this.#diverged) alarms.push('diverged')
    if (this.#disagreeing.length > 0) alarms.push('rpc_disagrees')
    if (this.#feesLow.length > 0) alarms.push('fees_low')
    if (this.#differences.size > 0) alarms.push('books_differ')
    return alarms
  }
}
