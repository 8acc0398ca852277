import assert from 'node:assert/strict'
import type { ActorName, ContractId, MarketName, MessageId } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Market } from '../../protocol/market.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import type { PairMessage } from '../../protocol/pair.ts'
import { pairActor } from '../../protocol/subjects.ts'
import type { CancelAllOrders, PairReport, SweepState } from '../../protocol/vault.ts'
import type { Venue } from '../../protocol/venue.ts'
import type { Effects } from '../runtime/machine.ts'
import { expiryFault } from './admission.ts'
import type { Keys } from './keys.ts'
import type { Ledger } from './ledger.ts'
import type { Memory } from './memory.ts'
import { CANCEL_ROOM, heldAsset } from './orders.ts'
import { used } from './state.ts'
import type { Account, Sweep, VaultState } from './state.ts'

type Swept = Extract<PairReport, { kind: 'swept' }>

/** Cancel-alls: each goes to every market in which the account has open orders, and is answered when all have done it. */
export class Sweeps {
  readonly #state: VaultState
  readonly #ledger: Ledger
  readonly #memory: Memory
  readonly #keys: Keys
  readonly #venue: Venue
  readonly #markets: ReadonlyMap<MarketName, ActorName>
  readonly #maxLifetime_s: number

  constructor(state: VaultState, ledger: Ledger, memory: Memory, keys: Keys, venue: Venue) {
    this.#state = state
    this.#ledger = ledger
    this.#memory = memory
    this.#keys = keys
    this.#venue = venue
    this.#markets = new Map([...venue.markets.keys()].map((name) => [name, pairActor(name)]))
    this.#maxLifetime_s = Math.max(...[...venue.markets.values()].map((market) => market.rules.maxLifetime_s))
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
    const holding = [...account.open.values()].filter((order) => heldAsset(order, this.#market(order.market)) === asset)
    const markets = [...new Set(holding.map(({ market }) => market))]
    if (markets.length === 0 || this.#state.sweeps.has(id)) return
    const expires = Math.ceil(effects.time / 1000)
    this.#state.sweeps.set(id, { id, account: account.id, expires, cancelled: 0, markets, halted: [], reply: null })
    account.sweeping++
    const message: PairMessage = { kind: 'cancelAll', sweep: id, account: account.id }
    for (const market of markets) effects.send(this.#actor(market), message)
  }

  /** A market has taken the account's orders back. */
  report(from: ActorName, report: Swept, effects: Effects): void {
    const sweep = this.#state.sweeps.get(report.sweep)
    assert(sweep?.account === report.account, 'a market answers a cancel-all of that account')
    const market = sweep.markets.find((name) => this.#markets.get(name) === from)
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
    const expired = expiryFault(request.expires, this.#maxLifetime_s, effects.time)
    if (expired !== null) return { refused: expired }
    if (request.market !== null && !this.#markets.has(request.market)) return { refused: 'market_unknown' }
    const account = this.#ledger.account(request.account)
    if (account === undefined) return { refused: 'account_unknown' }
    if (account.sweeping >= limits.sweepsInFlight) return { refused: 'cancels_exceeded' }
    const markets = marketsOf(account, request.market)
    const actors = markets.map((name) => this.#actor(name))
    if (actors.some((actor) => effects.backlog(actor) >= limits.outboxMessages * CANCEL_ROOM)) return { refused: 'market_unavailable' }

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
    for (const actor of actors) effects.send(actor, message)
    return null
  }

  #market(name: MarketName): Market {
    const market = this.#venue.markets.get(name)
    assert(market !== undefined, 'a market that has orders stays in the configuration')
    return market
  }

  #actor(market: MarketName): ActorName {
    const actor = this.#markets.get(market)
    assert(actor !== undefined, 'a market that has orders stays in the configuration')
    return actor
  }
}

/** Markets in which the account has orders, in the order of the oldest in each. */
export function marketsOf(account: Account, only: MarketName | null): MarketName[] {
  const markets = new Set<MarketName>()
  for (const { market } of account.open.values()) if (only === null || market === only) markets.add(market)
  return [...markets]
}

/** A copy: what is answered now does not change when the next market speaks. */
const sweepState = ({ id, cancelled, markets, halted }: Sweep): SweepState => ({ id, cancelled, markets, halted: [...halted] })
