import type { MessageId, Milliseconds } from '../protocol/identity.ts'
import type { ActorAlarm } from '../protocol/packets.ts'
import type { KnownExit, KnownWithdrawal } from '../protocol/vault.ts'
import type { CosignStanding } from '../settlement/cosigning.ts'
import type { WatcherStatus } from '../settlement/watcherStatus.ts'

/** A signature takes a second or two: whoever has waited so long for it waits for something else. */
const STUCK_MS = 60_000

/**
 * What is next, and whose turn it is. `delivery`: the settlement actor has not been told yet. `settlement`: it does not answer. `chain`: it cannot sign before the chain answers, or agrees with it.
 * `signature`: its turn comes. `answer`: it has signed, or refused, and the vault actor has yet to hear. `watcher`: whether the chain has paid, or will not any more, is not read. `owner`: who asked may
 * take the money now. `delay`: the contract's own, of an exit.
 */
export type WaitsFor = 'delivery' | 'settlement' | 'chain' | 'signature' | 'answer' | 'watcher' | 'owner' | 'delay'

/** What is known beside the books of vault actors. */
export interface Around {
  /** null where the settlement actor does not answer. */
  readonly cosigns: ReadonlyMap<MessageId, CosignStanding> | null
  /** Of the settlement actor. */
  readonly alarms: readonly ActorAlarm['kind'][]
  /** null where the watcher does not answer. */
  readonly watcher: Pick<WatcherStatus, 'gap'> | null
  /** Of the watcher. */
  readonly watcherAlarms: readonly ActorAlarm['kind'][]
  readonly now: Milliseconds
}

export interface Standing {
  /** null where it is over. */
  readonly waitsFor: WaitsFor | null
  /** In words. */
  readonly why: string
  /** Somebody has to look. */
  readonly stuck: boolean
}

const over: Standing = { waitsFor: null, why: '', stuck: false }

export function withdrawalStanding(withdrawal: KnownWithdrawal, around: Around): Standing {
  if (withdrawal.status === 'requested') return requested(withdrawal, around)
  return withdrawal.status === 'cosigned' ? cosigned(withdrawal, around) : over
}

function requested({ id, updated }: KnownWithdrawal, { cosigns, alarms, now }: Around): Standing {
  const late = now - updated > STUCK_MS
  if (cosigns === null) return { waitsFor: 'settlement', why: 'the settlement actor, which does not answer', stuck: true }
  const standing = cosigns.get(id)
  if (standing === undefined || standing.state === 'unknown') return { waitsFor: 'delivery', why: 'the settlement actor, which has not been told yet', stuck: late }
  if (standing.state === 'decided') return { waitsFor: 'answer', why: 'its vault actor, which has yet to hear the engine’s answer', stuck: late }
  const chain = alarms.find((kind) => kind === 'chain_diverged' || kind === 'chain_unreachable')
  if (chain !== undefined) return { waitsFor: 'chain', why: `the chain, before the engine can sign: ${chain}`, stuck: true }
  return { waitsFor: 'signature', why: `the engine’s signature${standing.before === 0 ? '' : `, after ${standing.before} others`}`, stuck: late }
}

function cosigned({ validUntil }: KnownWithdrawal, { watcher, watcherAlarms }: Around): Standing {
  const unread = whyUnread(watcher, watcherAlarms)
  if (unread !== null) return { waitsFor: 'watcher', why: unread, stuck: true }
  return { waitsFor: 'owner', why: `its owner, to send it by ledger ${validUntil}`, stuck: false }
}

export function exitStanding({ due }: KnownExit, { watcher, watcherAlarms, now }: Around): Standing {
  const unread = whyUnread(watcher, watcherAlarms)
  if (unread !== null) return { waitsFor: 'watcher', why: unread, stuck: true }
  const at = new Date(due * 1_000).toISOString().replace('.000', '')
  return due * 1_000 > now ? { waitsFor: 'delay', why: `the contract’s delay, until ${at}`, stuck: false } : { waitsFor: 'owner', why: `its owner, to claim it since ${at}`, stuck: false }
}

function whyUnread(watcher: Around['watcher'], alarms: Around['watcherAlarms']): string | null {
  if (watcher === null) return 'the watcher, which does not answer'
  if (watcher.gap !== null) return `the watcher: no endpoint has ledger ${watcher.gap.needed}`
  return alarms.includes('chain_unreachable') ? 'the watcher: chain_unreachable' : null
}
