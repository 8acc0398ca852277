import type { ErrorCode } from '../../protocol/errors.ts'
import type { AccountId, MarketName, MessageId, Milliseconds, Seconds } from '../../protocol/identity.ts'
import { limits } from '../../protocol/limits.ts'
import type { Answer, ReplyTo } from '../../protocol/packets.ts'
import type { ChainReport, DelegateKey, Grant, KeyState, RevokeKey } from '../../protocol/vault.ts'
import { keyView } from '../../protocol/view.ts'
import type { Effects } from '../runtime/machine.ts'
import { expiryFault } from './admission.ts'
import { publish } from './feed.ts'
import type { Ledger } from './ledger.ts'
import type { Markets } from './markets.ts'
import type { Memory } from './memory.ts'
import { used } from './state.ts'
import type { Account, KeyChange, VaultState } from './state.ts'

/** Where a key is to act: in one market, in all of them, or in one that is not known yet. */
type Place = MarketName | 'all' | 'somewhere'

type Named = Extract<ChainReport, { kind: 'tradingKey' }>

/** The last second that a date can be written with: a trading key ends when the chain says so. */
const NO_END = 253_402_300_799 as Seconds

/** Keys that act for accounts which are not their own: who may, and the messages, and for contract accounts the events of the chain, that say so. */
export class Keys {
  readonly #state: VaultState
  readonly #ledger: Ledger
  readonly #memory: Memory
  readonly #markets: Markets

  constructor(state: VaultState, ledger: Ledger, memory: Memory, markets: Markets) {
    this.#state = state
    this.#ledger = ledger
    this.#memory = memory
    this.#markets = markets
  }

  /** Why a signer may not trade for an account, or null where it may. Asked for every order, so the account itself is let through first. */
  fault({ account, signer }: { readonly account: AccountId; readonly signer: AccountId }, place: Place, time: Milliseconds): ErrorCode | null {
    if (this.ownFault({ account, signer }) === null) return null
    const grant = this.#ledger.account(account)?.keys.get(signer)
    if (grant === undefined || grant.scope !== 'trade' || over(grant, time)) return 'signer_not_allowed'
    return grant.market === null || place === 'somewhere' || grant.market === place ? null : 'signer_not_allowed'
  }

  /** Why a signer may not do what only the account itself may (withdraw, delegate, revoke). A contract account has no key but the one that it has named on chain. */
  ownFault({ account, signer }: { readonly account: AccountId; readonly signer: AccountId }): ErrorCode | null {
    return signer === account || this.#state.tradingKeys.get(account) === signer ? null : 'signer_not_allowed'
  }

  /** The chain has another key for a contract account, or none. The one before it ends, and what that one has delegated: a key that was lost must leave none behind. */
  named({ account: id, key }: Named, effects: Effects): void {
    const before = this.#state.tradingKeys.get(id) ?? null
    if (before === key) return
    if (key === null) this.#state.tradingKeys.delete(id)
    else this.#state.tradingKeys.set(id, key)
    const account = this.#ledger.account(id)
    if (account === undefined) return
    for (const grant of account.keys.values()) this.#tell(account, { ...grant, status: 'revoked' }, effects)
    account.keys.clear()
    if (before !== null) this.#tell(account, { ...tradingKey(before), status: 'revoked' }, effects)
    if (key !== null) this.#tell(account, tradingKey(key), effects)
  }

  /** Takes effect at once: what the key signed and comes after this is judged by it. */
  delegate(request: DelegateKey, reply: ReplyTo, effects: Effects): void {
    effects.answer(reply, this.#delegate(request, effects))
  }

  /** Likewise. Orders that the key has placed stay. */
  revoke(request: RevokeKey, reply: ReplyTo, effects: Effects): void {
    effects.answer(reply, this.#revoke(request, effects))
  }

  list(id: AccountId): readonly KeyState[] {
    const own = this.#state.tradingKeys.get(id)
    return [...(own === undefined ? [] : [tradingKey(own)]), ...Array.from(this.#ledger.account(id)?.keys.values() ?? [], active)]
  }

  find(id: AccountId, key: AccountId): Answer<KeyState> {
    if (this.#state.tradingKeys.get(id) === key) return { ok: tradingKey(key) }
    const grant = this.#ledger.account(id)?.keys.get(key)
    return grant === undefined ? { refused: 'key_unknown' } : { ok: active(grant) }
  }

  /** Forgets a message that has expired. */
  forget(id: MessageId): void {
    const change = this.#state.keyChanges.get(id)
    if (change === undefined) return
    if (change.kind === 'delegate') this.#ledger.known(change.account).delegations--
    this.#state.keyChanges.delete(id)
  }

  #delegate(request: DelegateKey, effects: Effects): Answer<KeyState> {
    const { time } = effects
    const before = this.#before(request, time)
    if (before !== null) return before
    const { id, key, scope, market, until, expires } = request
    const grant: Grant = { key, scope, market, until }
    const member = memberAtFault(request, grant)
    if (member !== null) return { refused: 'message_malformed', detail: member }
    if (market !== null && this.#markets.find(market) === undefined) return { refused: 'market_unknown' }
    if (over(grant, time) || until * 1000 > time + limits.keyLifetime_s * 1000) return { refused: 'until_out_of_range' }
    const account = this.#ledger.account(request.account)
    if (account === undefined) return { refused: 'account_unknown' }
    for (const old of account.keys.values()) if (over(old, time)) account.keys.delete(old.key)
    const full = account.keys.size >= limits.delegatedKeys && !account.keys.has(key)
    if (full || account.delegations >= limits.delegationsRemembered) return { refused: 'keys_exceeded' }
    account.keys.set(key, grant)
    account.delegations++
    this.#remember({ id, account: account.id, expires, kind: 'delegate', grant }, time)
    return this.#told(account, active(grant), effects)
  }

  /** A key can be revoked as often as it was delegated, so that these need no bound of their own. */
  #revoke(request: RevokeKey, effects: Effects): Answer<KeyState> {
    const before = this.#before(request, effects.time)
    if (before !== null) return before
    const { id, key, expires } = request
    const account = this.#ledger.account(request.account)
    const grant = account?.keys.get(key)
    if (account === undefined || grant === undefined) return { refused: 'key_unknown' }
    account.keys.delete(key)
    this.#remember({ id, account: account.id, expires, kind: 'revoke', grant }, effects.time)
    return this.#told(account, { ...grant, status: 'revoked' }, effects)
  }

  /** What any such message meets first; null where it is to be looked at. One that was seen before changes nothing, whatever became of its key since. */
  #before(request: DelegateKey | RevokeKey, time: Milliseconds): Answer<KeyState> | null {
    const signer = this.ownFault(request)
    if (signer !== null) return { refused: signer }
    const seen = this.#state.keyChanges.get(request.id)
    if (seen?.account === request.account) return { ok: this.#asItStands(seen, time) }
    if (used(this.#state, request.id)) return { refused: 'message_reused' }
    const fault = expiryFault(request.expires, this.#markets.longestLifetime_s, time)
    return fault === null ? null : { refused: fault }
  }

  #asItStands({ account, grant }: KeyChange, time: Milliseconds): KeyState {
    const now = this.#ledger.known(account).keys.get(grant.key)
    if (now !== undefined) return { ...now, status: over(now, time) ? 'expired' : 'active' }
    return { ...grant, status: over(grant, time) ? 'expired' : 'revoked' }
  }

  #remember(change: KeyChange, time: Milliseconds): void {
    this.#state.keyChanges.set(change.id, change)
    this.#memory.keep(change.id, change.expires, time)
  }

  #told(account: Account, key: KeyState, effects: Effects): Answer<KeyState> {
    this.#tell(account, key, effects)
    return { ok: key }
  }

  #tell(account: Account, key: KeyState, effects: Effects): void {
    publish(account, { type: 'key', ...keyView(key, effects.time) }, effects)
  }
}

const tradingKey = (key: AccountId): KeyState => ({ key, scope: 'trade', market: null, until: NO_END, status: 'active' })
const active = (grant: Grant): KeyState => ({ ...grant, status: 'active' })
const over = ({ until }: Grant, time: Milliseconds): boolean => time >= until * 1000

/** Reading is of an account as a whole, so a key that only reads has no market; and an account's own key needs no leave. */
function memberAtFault({ account, signer }: DelegateKey, { key, scope, market, until }: Grant): string | null {
  if (key === account || key === signer) return 'key'
  if (scope !== 'trade' && scope !== 'read') return 'scope'
  if (scope === 'read' && market !== null) return 'market'
  return Number.isSafeInteger(until) ? null : 'until'
}
