import assert from 'node:assert/strict'
import type { ActorName, ContractId, MessageId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import type { PairMessage } from '../../protocol/pair.ts'
import type { CancelAllOrders, PairReport, SweepState } from '../../protocol/vault.ts'
import type { Effects } from '../runtime/machine.ts'
import { expiryFault } from './admission.ts'
import { heldAsset } from './holds.ts'
import type { Keys } from './keys.ts'
import type { Ledger } from './ledger.ts'
import type { Markets } from './markets.ts'
import type { Memory } from './memory.ts'
import { marketsOf, used } from './state.ts'
import type { Account, Sweep, VaultState } from './state.ts'

type Swept = Extract<PairReport, { kind: 'swept' }>

/** Cancel-alls: each goes to every market in which the account has open orders, and is answered when all have done it. */
export class Sweeps {
  readonly #state: VaultState
  readonly #ledger: Ledger
  readonly #memory: Memory
  readonly #keys: Keys
  readonly #markets: Markets

  constructor(state: VaultState, ledger: Ledger, memory: Memory, keys: Keys, markets: Markets) {
    this.#state = state
    this.#ledger = ledger
    this.#memory = memory
    this.#keys = keys
    this.#markets = markets
  }

  request(request: CancelAllOrders, reply: ReplyTo, effects: Effects): void {
    const answer = this.#request(request, reply, effects)
    if (answer !== null) effects.answer(reply, answer)
  }

  /**
   * Takes the account's orders back in every market where one holds some of the asset. Nobody asked for it here, so nobody is answered. It
   * is sent however much the markets have to hear: what causes it is paid for on chain, and the money may not be promised any longer.
   */
  takeBack(account: Account, asset: ContractId, id: MessageId, effects: Effects): void {
    const holding = [...account.open.values()].filter((order) => heldAsset(order, this.#markets.known(order.market).market) === asset)
    const markets = [...new Set(holding.map(({ market }) => market))]
    if (markets.length === 0 || this.#state.sweeps.has(id)) return
    const expires = Math.ceil(effects.time / 1000)
    this.#state.sweeps.set(id, { id, account: account.id, expires, cancelled: 0, markets, halted: [], reply: null })
    account.sweeping++
    const message: PairMessage = { kind: 'cancelAll', sweep: id, account: account.id }
    for (const market of markets) effects.send(this.#markets.known(market).actor, message)
  }

  /** A market has taken the account's orders back. */
  report(from: ActorName, report: Swept, effects: Effects): void {
    const sweep = this.#state.sweeps.get(report.sweep)
    assert(sweep?.account === report.account, 'a market answers a cancel-all of that account')
    const market = sweep.markets.find((name) => this.#markets.known(name).actor === from)
    assert(market !== undefined, 'a market answers a cancel-all once')
    sweep.markets = sweep.markets.filter((name) => name !== market)
    sweep.cancelled += report.cancelled
    if (report.halted) sweep.halted.push(market)
    if (sweep.markets.length > 0) return
    this.#ledger.known(sweep.account).sweeping--
    this.#memory.keep(sweep.id, sweep.expires, effects.time)
    if (sweep.reply !== null) effects.answer(sweep.reply, { ok: sweepState(sweep) })
    sweep.reply = null
  }

  /** Forgets a cancel-all that is done and whose message has expired. */
  forget(id: Sweep['id']): void {
    assert((this.#state.sweeps.get(id)?.markets.length ?? 0) === 0, 'only cancel-alls that are done are forgotten')
    this.#state.sweeps.delete(id)
  }

  /** The answer, or null where the markets have to be heard first. */
  #request(request: CancelAllOrders, reply: ReplyTo, effects: Effects): Answer<SweepState> | null {
    const fault = this.#keys.fault(request, request.market ?? 'all', effects.time)
    if (fault !== null) return { refused: fault }
    const seen = this.#state.sweeps.get(request.id)
    if (seen?.account === request.account) return { ok: sweepState(seen) }
    if (used(this.#state, request.id)) return { refused: 'message_reused' }
    const expired = expiryFault(request.expires, this.#markets.longestLifetime_s, effects.time)
    if (expired !== null) return { refused: expired }
    if (request.market !== null && this.#markets.find(request.market) === undefined) return { refused: 'market_unknown' }
    const account = this.#ledger.account(request.account)
    if (account === undefined) return { refused: 'account_unknown' }
    if (account.sweeping >= limits.sweepsInFlight) return { refused: 'cancels_exceeded' }
    const markets = marketsOf(account, request.market)
    const destinations = markets.map((name) => this.#markets.known(name))
    if (destinations.some((destination) => !this.#markets.takesCancels(destination, effects))) return { refused: 'market_unavailable' }

    const { id, expires } = request
    const sweep: Sweep = { id, account: account.id, expires, cancelled: 0, markets, halted: [], reply }
    this.#state.sweeps.set(id, sweep)
    if (markets.length === 0) {
      sweep.reply = null
      this.#memory.keep(id, expires, effects.time)
      return { ok: sweepState(sweep) }
    }
    account.sweeping++
    const message: PairMessage = { kind: 'cancelAll', sweep: id, account: account.id }
    for (const { actor } of destinations) effects.send(actor, message)
    return null
  }
}

/** A copy: what is answered now does not change when the next market speaks. */
const sweepState = ({ id, cancelled, markets, halted }: Sweep): SweepState => ({ id, cancelled, markets, halted: [...halted] })
