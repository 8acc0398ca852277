import { xdr } from '@stellar/stellar-sdk'
import type { AccountId } from '../protocol/identity.ts'
import { address, u32, u64, variant } from './scValues.ts'

/** A change of the vault that its administrator announces and, when it is due, applies (docs/contract.md). */
export type VaultChange =
  | { readonly admin: string }
  | { readonly engine: string; readonly channel: number }
  | { readonly pauser: string }
  | { readonly delay_s: number }
  /** Sha256 of the code, as 64 hex digits. */
  | { readonly code: string }
  | { readonly feeCap_ppm: number }
  | { readonly treasury: AccountId }

/** A change that was announced and has neither happened nor been cancelled. */
export interface Announcement {
  readonly change: VaultChange
  /** Ledger time in Unix seconds from which on it may be applied, for two weeks. */
  readonly due: number
}

export function changeValue(change: VaultChange): xdr.ScVal {
  if ('admin' in change) return variant('Admin', address(change.admin))
  if ('engine' in change) return variant('Engine', u32(change.channel), address(change.engine))
  if ('pauser' in change) return variant('Pauser', address(change.pauser))
  if ('delay_s' in change) return variant('Delay', u64(change.delay_s))
  if ('code' in change) return variant('Code', xdr.ScVal.scvBytes(new Uint8Array(Buffer.from(change.code, 'hex'))))
  if ('treasury' in change) return variant('Treasury', address(change.treasury))
  return variant('FeeCap', u32(change.feeCap_ppm))
}

/** @param native the vec as the SDK reads it @throws Error where the contract knows a change that this code does not */
export function readChange(native: unknown): VaultChange {
  const [name, first, second] = native as [string, unknown, unknown]
  switch (name) {
    case 'Admin':
      return { admin: first as string }
    case 'Engine':
      return { engine: second as string, channel: first as number }
    case 'Pauser':
      return { pauser: first as string }
    case 'Delay':
      return { delay_s: Number(first) }
    case 'Code':
      return { code: Buffer.from(first as Uint8Array).toString('hex') }
    case 'FeeCap':
      return { feeCap_ppm: first as number }
    case 'Treasury':
      return { treasury: first as AccountId }
    default:
      throw new Error(`the vault has a change ${name} under way, which is not known here`)
  }
}

export const sameChange = (one: VaultChange, other: VaultChange): boolean => changeValue(one).toXdr('base64') === changeValue(other).toXdr('base64')

/** For people, and as the command line takes it. */
export function changeText(change: VaultChange): string {
  if ('engine' in change) return `engine ${change.engine} of channel ${change.channel}`
  if ('delay_s' in change) return `delay ${change.delay_s} s`
  if ('feeCap_ppm' in change) return `fee-cap ${change.feeCap_ppm} ppm`
  const [kind, value] = Object.entries(change)[0] as [string, string]
  return `${kind} ${value}`
}
