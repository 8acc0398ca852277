import type { VaultMachine } from '../../src/actors/vault/vaultMachine.ts'
import type { ActorName } from '../../src/protocol/identity.ts'
import type { Venue } from '../../src/protocol/venue.ts'
import type { VaultState } from '../../src/actors/vault/state.ts'
import type { VaultMessage } from '../../src/protocol/vault.ts'
import type { Verdict } from '../violation.ts'

/**
 * What went in and out of one vault machine, summed up beside it. Settling moves nothing between accounts and the outside, so settled plus
 * pending of all accounts together is what came from the chain, what went there, and the machine's side of every trade.
 */
export class VaultFlows {
  readonly #venue: Venue
  readonly #net = new Map<string, bigint>()

  constructor(venue: Venue) {
    this.#venue = venue
  }

  /** The machine is about to apply a message; its state tells the side of an order. */
  heard(message: VaultMessage, state: Readonly<VaultState>): void {
    switch (message.kind) {
      case 'deposited':
        return this.#add(message.asset, message.amount)
      case 'withdrawn':
      case 'claimed':
        return this.#add(message.asset, 0n - message.amount)
      case 'filled': {
        const market = this.#venue.markets.get(message.trade.slice(0, message.trade.lastIndexOf(':')) as never)
        if (market === undefined) throw new Error('a trade of no market')
        const buys = state.orders.get(message.order)?.side === 'buy'
        this.#add(market.rules.base.contract, buys ? message.base - message.fee : 0n - message.base)
        return this.#add(market.rules.quote.contract, buys ? 0n - message.quote : message.quote - message.fee)
      }
      default:
        return
    }
  }

  /** The machine begins from a snapshot: what it has is what came and went before. */
  restored(state: Readonly<VaultState>): void {
    this.#net.clear()
    for (const account of state.accounts.values()) {
      for (const [asset, { settled, pendingIn, pendingOut }] of account.balances) this.#add(asset, settled + pendingIn - pendingOut)
    }
  }

  of(asset: string): bigint {
    return this.#net.get(asset) ?? 0n
  }

  #add(asset: string, amount: bigint): void {
    this.#net.set(asset, this.of(asset) + amount)
  }
}

/** Conservation, and no available amount below zero: looked at before every append of a vault actor. */
export function checkConservation(actor: ActorName, machine: VaultMachine, flows: VaultFlows, venue: Venue, verdict: Verdict): void {
  const sums = new Map<string, bigint>()
  for (const account of machine.state.accounts.values()) {
    for (const [asset, { settled, pendingIn, pendingOut, reserved }] of account.balances) {
      const owned = settled + pendingIn - pendingOut
      sums.set(asset, (sums.get(asset) ?? 0n) + owned)
      if (owned < reserved || reserved < 0n) verdict.broken('no available amount is negative', `${actor} has promised more than an account has`)
    }
  }
  for (const { contract, code } of venue.assets) {
    verdict.holds((sums.get(contract) ?? 0n) === flows.of(contract), 'conservation', () => `${actor} has another sum of ${code} over its accounts than what came and went`)
  }
}

/** What an account has asked of the contract is held, and as long as it is not all there nothing of that asset is free: nobody trades on money that is leaving. */
export function checkExits(actor: ActorName, machine: VaultMachine, verdict: Verdict): void {
  for (const [id, exits] of machine.state.exits) {
    for (const { asset, asked, held } of exits.values()) {
      const { settled, pendingIn, pendingOut, reserved } = machine.state.accounts.get(id)?.balances.get(asset) ?? { settled: 0n, pendingIn: 0n, pendingOut: 0n, reserved: 0n }
      const free = settled + pendingIn - pendingOut - reserved
      verdict.holds(held === asked || (held < asked && free <= 0n), LEAVING, () => `${actor} leaves an amount free that an account has asked of the contract`)
    }
  }
}

export const LEAVING = 'what is leaving is held'

/** Every reservation belongs to an open order, a withdrawal in flight or an exit: dearer, so now and then. */
export function checkReservations(actor: ActorName, machine: VaultMachine, venue: Venue, verdict: Verdict): void {
  for (const account of machine.state.accounts.values()) {
    const held = new Map<string, bigint>()
    const hold = (asset: string, amount: bigint): void => void held.set(asset, (held.get(asset) ?? 0n) + amount)
    for (const order of account.open.values()) {
      const rules = venue.markets.get(order.market)?.rules
      if (rules !== undefined) hold((order.side === 'buy' ? rules.quote : rules.base).contract, order.reserved)
    }
    for (const withdrawal of account.inFlight) hold(withdrawal.asset, withdrawal.amount)
    for (const exit of machine.state.exits.get(account.id)?.values() ?? []) hold(exit.asset, exit.held)
    for (const [asset, { reserved }] of account.balances) {
      verdict.holds(reserved === (held.get(asset) ?? 0n), 'reservations', () => `${actor} holds an amount that no order and no withdrawal stands for`)
    }
  }
}

