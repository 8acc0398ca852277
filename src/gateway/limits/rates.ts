import type { Socket } from 'node:net'
import type { Action } from '../../protocol/messages/message.ts'
import { limits } from '../../protocol/limits.ts'
import type { VaultCommand } from '../../protocol/vault.ts'
import type { Counted } from './allowance.ts'
import type { Rate } from './buckets.ts'
import { customerOf } from './address.ts'
import { Policy } from './policy.ts'

export type RateName = keyof typeof limits.rates
/** What a request is counted as before anybody knows whose it is. */
export type AddressBudget = 'requests' | 'addressCancels' | 'logins'

/** What takes risk away: orders taken back, at once or when a timer says so, and what a key may do. */
export const isCancel = (kind: VaultCommand['kind'] | Action | undefined): boolean => kind === 'cancel' || kind === 'cancelAll' || kind === 'deadMan' || kind === 'presence' || kind === 'revoke'

/**
 * Every rate limit of a gateway. By address: what comes in, before any of it is read. By key: what was signed, counted when the signature has been
 * checked, so that nobody uses up what is another's. Cancels have budgets of their own, of both kinds: they pass where orders do not.
 */
export class Rates {
  readonly policies: Readonly<Record<RateName, Policy>>

  constructor(configured: Partial<Record<RateName, Rate>> = {}) {
    const names = Object.keys(limits.rates) as RateName[]
    this.policies = Object.fromEntries(names.map((name) => [name, new Policy(name, configured[name] ?? limits.rates[name], limits.rateKeys)])) as Record<RateName, Policy>
  }

  /** Of the signer of a command. */
  ofCommand(kind: VaultCommand['kind']): Policy {
    return isCancel(kind) ? this.policies.cancels : this.policies.orders
  }

  /** @throws Refusal rate_exceeded */
  fromAddress(budget: AddressBudget, { remoteAddress }: Pick<Socket, 'remoteAddress'>, caller: Counted): void {
    this.policies[budget].take(customerOf(remoteAddress), caller)
  }
}
