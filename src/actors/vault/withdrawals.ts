import assert from 'node:assert/strict'
import type { AccountId, ActorName, ContractId, MessageId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import { settlementActor } from '../../protocol/subjects.ts'
import type { SettlementMessage } from '../../protocol/settlement.ts'
import type { ChainReport, KnownWithdrawal, KnownWithdrawals, OperatorQuery, RequestWithdrawal, SettlementReport, WithdrawalState } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import { withdrawalView } from '../../protocol/view.ts'
import type { Effects } from '../runtime/machine.ts'
import { expiryFault } from './admission.ts'
import type { Exits } from './exits.ts'
import { publish } from './feed.ts'
import type { Keys } from './keys.ts'
import { withdrawable } from './ledger.ts'
import type { Ledger } from './ledger.ts'
import type { Markets } from './markets.ts'
import type { Memory } from './memory.ts'
import type { Reconciliation } from './reconciliation.ts'
import { used } from './state.ts'
import type { Account, VaultState, Withdrawal } from './state.ts'

type Withdrawn = Extract<ChainReport, { kind: 'withdrawn' }>
type Listed = Extract<OperatorQuery, { kind: 'withdrawals' }>
type Cosigning = Extract<SettlementReport, { kind: 'cosigned' | 'cosignRefused' }>

/** Withdrawals from request to payment. One in flight holds its amount, so nothing else can promise it. */
export class Withdrawals {
  readonly #state: VaultState
  readonly #ledger: Ledger
  readonly #memory: Memory
  readonly #keys: Keys
  readonly #exits: Exits
  readonly #reconciliation: Reconciliation
  readonly #venue: Venue
  readonly #settlement: ActorName
  readonly #markets: Markets

  constructor(state: VaultState, ledger: Ledger, memory: Memory, keys: Keys, exits: Exits, reconciliation: Reconciliation, markets: Markets, venue: Venue) {
    this.#state = state
    this.#ledger = ledger
    this.#memory = memory
    this.#keys = keys
    this.#exits = exits
    this.#reconciliation = reconciliation
    this.#venue = venue
    this.#settlement = settlementActor(venue.channel)
    this.#markets = markets
  }

  /** Reserves, asks the engine to co-sign, and answers at once: what follows comes by the feed. */
  request(request: RequestWithdrawal, reply: ReplyTo, effects: Effects): void {
    effects.answer(reply, this.#request(request, effects))
  }

  /** The engine's answer. One that comes after the chain's own is late news. */
  cosigning(report: Cosigning, effects: Effects): void {
    const withdrawal = this.#state.withdrawals.get(report.withdrawal)
    if (withdrawal === undefined || withdrawal.status !== 'requested') return
    const account = this.#ledger.known(report.account)
    assert(withdrawal.account === account.id, 'a withdrawal is co-signed for the account that asked')
    if (report.kind === 'cosignRefused') return this.#close(account, withdrawal, 'refused', effects)
    withdrawal.status = 'cosigned'
    withdrawal.updated = effects.time
    withdrawal.authorization = report.authorization
    withdrawal.validUntil = report.validUntil
    this.#state.cosigned.set(withdrawal.id, withdrawal)
    this.#publish(account, withdrawal, effects)
  }

  /**
   * The chain paid. The event names no request, so the oldest of that amount is taken for it: its signature is the first to
   * lapse, and the reservation of the others outlasts theirs. False: none was in flight.
   */
  paid(account: Account, report: Withdrawn, effects: Effects): boolean {
    const fits = (status: 'cosigned' | 'requested') => (candidate: Withdrawal) =>
      candidate.status === status && candidate.asset === report.asset && candidate.amount === report.amount
    const withdrawal = account.inFlight.find(fits('cosigned')) ?? account.inFlight.find(fits('requested'))
    if (withdrawal === undefined) return false
    withdrawal.transaction = report.transaction
    withdrawal.ledger = report.ledger
    this.#close(account, withdrawal, 'completed', effects)
    return true
  }

  /** The chain is complete up to `ledger`: a signature that held no longer than that can never be used. */
  lapse(ledger: number, effects: Effects): void {
    for (const withdrawal of this.#state.cosigned.values()) {
      assert(withdrawal.validUntil !== null, 'a co-signed withdrawal has its last ledger')
      if (ledger > withdrawal.validUntil) this.#close(this.#ledger.known(withdrawal.account), withdrawal, 'expired', effects)
    }
  }

  /** Forgets a closed withdrawal whose message has expired. */
  forget(id: MessageId): void {
    const withdrawal = this.#state.withdrawals.get(id)
    assert(withdrawal === undefined || !inFlight(withdrawal), 'only closed withdrawals are forgotten')
    this.#state.withdrawals.delete(id)
  }

  find(account: AccountId, id: MessageId): Answer<WithdrawalState> {
    const withdrawal = this.#state.withdrawals.get(id)
    return withdrawal?.account === account ? { ok: withdrawalState(withdrawal) } : { refused: 'withdrawal_unknown' }
  }

  /** What an operator sees. */
  list({ account: only, closed, limit }: Listed): KnownWithdrawals {
    const all = [...this.#state.withdrawals.values()].filter(({ account }) => only === null || account === only)
    const exits = this.#exits.list(only)
    const counts = { requested: 0, cosigned: 0, completed: 0, expired: 0, refused: 0, exits: exits.length }
    for (const { status } of all) counts[status]++
    const over = closed ? all.filter((withdrawal) => !inFlight(withdrawal)).reverse() : []
    const listed = [...all.filter(inFlight), ...over].slice(0, limit)
    return { ledger: this.#state.ledger, counts, withdrawals: listed.map(knownWithdrawal), exits: exits.slice(0, limit) }
  }

  #request(request: RequestWithdrawal, effects: Effects): Answer<WithdrawalState> {
    const signer = this.#keys.ownFault(request)
    if (signer !== null) return { refused: signer }
    const seen = this.#state.withdrawals.get(request.id)
    if (seen?.account === request.account) return { ok: withdrawalState(seen) }
    if (used(this.#state, request.id)) return { refused: 'message_reused' }

    const fault = expiryFault(request.expires, this.#markets.longestLifetime_s, effects.time)
    if (fault !== null) return { refused: fault }
    if (!this.#venue.assetByContract.has(request.asset)) return { refused: 'asset_unknown' }
    if (request.amount <= 0n) return { refused: 'quantity_out_of_range' }
    const account = this.#ledger.account(request.account)
    if (account === undefined) return { refused: 'account_unknown' }
    if (this.#reconciliation.differs(account.id)) return { refused: 'books_differ' }
    if (account.inFlight.length >= limits.withdrawalsInFlight) return { refused: 'withdrawals_exceeded' }
    if (effects.backlog(this.#settlement) >= limits.outboxMessages) return { refused: 'venue_overloaded' }
    if (!this.#reserve(account, request.asset, request.amount)) return { refused: 'funds_insufficient' }
    return { ok: withdrawalState(this.#take(account, request, effects)) }
  }

  #reserve(account: Account, asset: ContractId, amount: bigint): boolean {
    const balance = account.balances.get(asset)
    if (balance === undefined) return false
    const missing = amount - withdrawable(balance)
    // Money that waits for its exit may leave by the engine's signature as well, and sooner.
    if (missing > 0n && missing > this.#exits.lendable(account.id, asset)) return false
    if (missing > 0n) this.#exits.lend(account, asset, missing)
    const reserved = this.#ledger.reserve(account, asset, amount)
    assert(reserved, 'what may be withdrawn is available')
    // More was lent than is withdrawn where proceeds that are not settled cover the exit: they go on doing so.
    this.#exits.follow(account.id)
    return reserved
  }

  #take(account: Account, request: RequestWithdrawal, effects: Effects): Withdrawal {
    const { id, asset, amount, expires } = request
    const nothingYet = { authorization: null, validUntil: null, transaction: null, ledger: null }
    const withdrawal: Withdrawal = { id, account: account.id, asset, amount, status: 'requested', ...nothingYet, expires, created: effects.time, updated: effects.time }
    account.inFlight.push(withdrawal)
    this.#state.withdrawals.set(id, withdrawal)
    const message: SettlementMessage = { kind: 'cosign', withdrawal: id, account: account.id, asset, amount }
    effects.send(this.#settlement, message)
    this.#publish(account, withdrawal, effects)
    return withdrawal
  }

  #close(account: Account, withdrawal: Withdrawal, status: 'completed' | 'expired' | 'refused', effects: Effects): void {
    assert(inFlight(withdrawal), 'a withdrawal is closed once')
    withdrawal.status = status
    withdrawal.updated = effects.time
    this.#ledger.release(account, withdrawal.asset, withdrawal.amount)
    account.inFlight = account.inFlight.filter((other) => other !== withdrawal)
    this.#state.cosigned.delete(withdrawal.id)
    this.#memory.keep(withdrawal.id, withdrawal.expires, effects.time)
    this.#publish(account, withdrawal, effects)
  }

  #publish(account: Account, withdrawal: Withdrawal, effects: Effects): void {
    const asset = this.#venue.assetByContract.get(withdrawal.asset)
    assert(asset !== undefined, 'an asset that was withdrawn stays in the configuration')
    publish(account, { type: 'withdrawal', withdrawal: withdrawalView(withdrawalState(withdrawal), asset) }, effects)
  }
}

const inFlight = (withdrawal: Withdrawal): boolean => withdrawal.status === 'requested' || withdrawal.status === 'cosigned'

/** A copy without what is the vault actor's own. */
function withdrawalState(withdrawal: Withdrawal): WithdrawalState {
  const { expires: _expires, created: _created, updated: _updated, ...state } = withdrawal
  return state
}

function knownWithdrawal({ expires: _expires, authorization: _authorization, ...known }: Withdrawal): KnownWithdrawal {
  return known
}
