import assert from 'node:assert/strict'
import type { AccountId, ActorName, Milliseconds } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import { formatAmount } from '../../protocol/market.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import { settlementActor, vaultActor, vaultOf, watcherActor } from '../../protocol/subjects.ts'
import type { BalanceState, ChainReport, OperatorQuery, SettlementReport, Standing, VaultAlarm, VaultAlarms, VaultCommand, VaultMessage, VaultQuery } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import type { Effects, Machine } from '../runtime/machine.ts'
import { alarmsOf, raise } from './alarms.ts'
import { Amends } from './amends.ts'
import { Exits } from './exits.ts'
import { publish } from './feed.ts'
import { Keys } from './keys.ts'
import { balanceState, emptyBalance, Ledger } from './ledger.ts'
import { Markets } from './markets.ts'
import { Memory } from './memory.ts'
import { Orders } from './orders.ts'
import { Reconciliation } from './reconciliation.ts'
import { readSnapshot, takeSnapshot } from './snapshot.ts'
import { emptyState } from './state.ts'
import type { VaultState } from './state.ts'
import { Sweeps } from './sweeps.ts'
import { Timers } from './timers.ts'
import { Withdrawals } from './withdrawals.ts'

type Moved = Extract<ChainReport, { kind: 'deposited' | 'withdrawn' | 'claimed' }>
type Asked = Extract<ChainReport, { kind: 'exit' }>
type Settled = Extract<SettlementReport, { kind: 'settled' }>

/**
 * The accounts of one partition: it alone decides what they may promise, holds it before an order reaches its market, follows what
 * markets, chain and settlement say, and tells each trader on a numbered feed.
 */
export class VaultMachine implements Machine<VaultCommand, VaultQuery | OperatorQuery, VaultMessage, never> {
  readonly #actor: ActorName
  readonly #venue: Venue
  readonly #markets: Markets
  #state!: VaultState
  #ledger!: Ledger
  #memory!: Memory
  #keys!: Keys
  #timers!: Timers
  #orders!: Orders
  #amends!: Amends
  #sweeps!: Sweeps
  #exits!: Exits
  #reconciliation!: Reconciliation
  #withdrawals!: Withdrawals

  constructor(partition: number, venue: Venue) {
    assert(partition >= 0 && partition < venue.file.vaultPartitions, 'a partition of the venue')
    this.#actor = vaultActor(partition)
    this.#venue = venue
    this.#markets = new Markets(venue)
    this.#adopt(emptyState())
  }

  /** For reading only. */
  get state(): Readonly<VaultState> {
    return this.#state
  }

  /** What it has found wrong so far. */
  get alarms(): VaultAlarms {
    return alarmsOf(this.#state)
  }

  advance(effects: Effects): void {
    this.#timers.lapse(effects)
    this.#memory.forget(effects.time, (id) => {
      this.#orders.forget(id)
      this.#amends.forget(id)
      this.#sweeps.forget(id)
      this.#timers.forget(id)
      this.#withdrawals.forget(id)
      this.#keys.forget(id)
    })
  }

  deadline(): Milliseconds | null {
    const [memory, timers] = [this.#memory.deadline, this.#timers.deadline]
    return memory === null || (timers !== null && timers < memory) ? timers : memory
  }

  command(command: VaultCommand, reply: ReplyTo, effects: Effects): void {
    switch (command.kind) {
      case 'place':
        return this.#orders.place(command, reply, effects)
      case 'cancel':
        return this.#orders.cancel(command, reply, effects)
      case 'amend':
        return this.#amends.request(command, reply, effects)
      case 'cancelAll':
        return this.#sweeps.request(command, reply, effects)
      case 'deadMan':
        return this.#timers.set(command, reply, effects)
      case 'presence':
        return this.#timers.watch(command, reply, effects)
      case 'withdraw':
        return this.#withdrawals.request(command, reply, effects)
      case 'delegate':
        return this.#keys.delegate(command, reply, effects)
      case 'revoke':
        return this.#keys.revoke(command, reply, effects)
      default:
        return effects.answer(reply, { refused: 'action_unsupported' })
    }
  }

  message(from: ActorName, message: VaultMessage, effects: Effects): void {
    this.#hear(from, message, effects)
    if ('account' in message) this.#exits.follow(message.account)
    else this.#exits.followAll()
  }

  #hear(from: ActorName, message: VaultMessage, effects: Effects): void {
    switch (message.kind) {
      case 'rested':
      case 'filled':
      case 'reduced':
      case 'closed':
        return this.#orders.report(from, message, effects)
      case 'amended':
        this.#orders.report(from, message, effects)
        return this.#amends.report(message, effects)
      case 'amendRefused':
        return this.#amends.report(message, effects)
      case 'swept':
        return this.#sweeps.report(from, message, effects)
      case 'timed':
        return this.#timers.report(message, effects)
      case 'deposited':
      case 'withdrawn':
      case 'claimed':
        assert(from === watcherActor, 'the watcher speaks for the chain')
        return this.#moved(message, effects)
      case 'exit':
        assert(from === watcherActor, 'the watcher speaks for the chain')
        return this.#asked(message, effects)
      case 'tradingKey':
        assert(from === watcherActor, 'the watcher speaks for the chain')
        assert(vaultOf(message.account, this.#venue.file.vaultPartitions) === this.#actor, 'the chain is reported to the owner of the account')
        return this.#keys.named(message, effects)
      case 'ledger':
        assert(from === watcherActor, 'the watcher speaks for the chain')
        this.#withdrawals.lapse(message.ledger, effects)
        return this.#reconciliation.complete(message.ledger, effects)
      case 'settled':
        return this.#settled(message, effects)
      case 'holdings':
        return this.#reconciliation.hear({ ledger: message.ledger, assets: message.assets, accounts: message.accounts }, effects)
      case 'cosigned':
      case 'cosignRefused':
        return this.#withdrawals.cosigning(message, effects)
    }
  }

  local(_input: never, _effects: Effects): void {
    assert.fail('a vault actor has no driver')
  }

  query(query: VaultQuery | OperatorQuery): Answer {
    switch (query.kind) {
      case 'order':
        return this.#orders.find(query.account, query.id)
      case 'clientOrder':
        return this.#orders.findByClientId(query.account, query.clientOrderId)
      case 'orders':
        return this.#orders.list(query)
      case 'balances':
        return { ok: this.#balances(query.account) }
      case 'standing':
        return { ok: this.#standing(query) }
      case 'withdrawal':
        return this.#withdrawals.find(query.account, query.id)
      case 'keys':
        return { ok: this.#keys.list(query.account) }
      case 'key':
        return this.#keys.find(query.account, query.key)
      case 'deadMan':
        return { ok: this.#timers.list(query.account) }
      case 'alarms':
        return { ok: this.alarms }
      case 'withdrawals':
        return query.limit > limits.listedOrders ? { refused: 'request_malformed' } : { ok: this.#withdrawals.list(query) }
      default:
        return { refused: 'request_malformed' }
    }
  }

  snapshot(): Uint8Array {
    return takeSnapshot(this.#state)
  }

  restore(bytes: Uint8Array): void {
    this.#adopt(readSnapshot(bytes))
  }

  #adopt(state: VaultState): void {
    this.#state = state
    this.#ledger = new Ledger(state.accounts)
    this.#memory = new Memory(state.forgettable)
    this.#keys = new Keys(state, this.#ledger, this.#memory, this.#markets)
    this.#timers = new Timers(state, this.#ledger, this.#memory, this.#keys, this.#markets)
    this.#orders = new Orders(state, this.#ledger, this.#memory, this.#keys, this.#timers, this.#markets)
    this.#amends = new Amends(state, this.#ledger, this.#memory, this.#keys, this.#orders, this.#markets)
    this.#sweeps = new Sweeps(state, this.#ledger, this.#memory, this.#keys, this.#markets)
    this.#exits = new Exits(state, this.#ledger, this.#sweeps)
    this.#reconciliation = new Reconciliation(state, this.#ledger, settlementActor(this.#venue.channel))
    this.#withdrawals = new Withdrawals(state, this.#ledger, this.#memory, this.#keys, this.#exits, this.#reconciliation, this.#markets, this.#venue)
  }

  /** Every asset of the venue; one that an account never had shows zero, so that a stranger's answer looks like an empty one's. */
  #balances(id: AccountId): readonly BalanceState[] {
    const account = this.#ledger.account(id)
    return this.#venue.assets.map(({ contract }) => balanceState(contract, account?.balances.get(contract) ?? emptyBalance()))
  }

  #standing({ account: id, orders, balances }: Extract<VaultQuery, { kind: 'standing' }>): Standing {
    return { fed: this.#ledger.account(id)?.fed ?? 0, orders: orders ? this.#orders.standing(id) : [], balances: balances ? this.#balances(id) : [] }
  }

  /** Money moved on chain. The chain is right by definition: what does not fit raises an alarm and is followed all the same. */
  #moved(report: Moved, effects: Effects): void {
    assert(vaultOf(report.account, this.#venue.file.vaultPartitions) === this.#actor, 'the chain is reported to the owner of the account')
    const account = this.#ledger.open(report.account)
    const asset = this.#venue.assetByContract.get(report.asset)
    if (asset === undefined) this.#alarm('asset_unlisted', report, effects)
    this.#reconciliation.moved(report.account, report.asset, report, effects)
    if (report.kind !== 'deposited') {
      // First what was held, so that the payment takes exactly what it was held for.
      const expected = report.kind === 'claimed' ? this.#exits.claimed(account, report.asset) : this.#withdrawals.paid(account, report, effects)
      if (!expected) this.#alarm('withdrawal_unmatched', report, effects)
      if (!this.#ledger.withdraw(account, report.asset, report.amount)) this.#alarm('funds_short', report, effects)
      return
    }
    this.#ledger.deposit(account, report.asset, report.amount)
    if (asset === undefined) return
    const { transaction, ledger } = report
    publish(account, { type: 'deposit', asset: asset.code, amount: formatAmount(report.amount, asset), transaction, ledger }, effects)
  }

  #asked(report: Asked, effects: Effects): void {
    assert(vaultOf(report.account, this.#venue.file.vaultPartitions) === this.#actor, 'the chain is reported to the owner of the account')
    this.#exits.asked(this.#ledger.open(report.account), report, effects)
  }

  #settled(report: Settled, effects: Effects): void {
    const account = this.#ledger.known(report.account)
    for (const move of report.moves) {
      this.#ledger.settle(account, move.asset, move.in, move.out)
      this.#reconciliation.moved(report.account, move.asset, report, effects)
    }
    const { trades, transaction, ledger, sequence, size, from, leaves } = report
    publish(account, { type: 'settled', trades, transaction, ledger, receipts: { sequence, size, from, leaves } }, effects)
  }

  #alarm(kind: VaultAlarm['kind'], report: Moved, effects: Effects): void {
    const { account, asset, transaction, ledger } = report
    raise(this.#state, { kind, account, asset, transaction, ledger, time: effects.time })
  }
}

