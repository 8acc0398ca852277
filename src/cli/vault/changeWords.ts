import { existsSync, readFileSync } from 'node:fs'
import { isAddress } from '../../protocol/address.ts'
import type { AccountId } from '../../protocol/identity.ts'
import { codeId } from '../../settlement/governance/founding.ts'
import type { VaultChange } from '../../settlement/vaultChange.ts'
import { duration_s, whole } from '../arguments.ts'
import type { Arguments } from '../arguments.ts'
import { UsageFault } from '../fault.ts'

const KINDS = 'admin G…, engine G… [--channel N], pauser G…, delay 3d, code SHA256|FILE, fee-cap PPM or treasury G…'

/** A change as the command line names it. @throws UsageFault */
export function changeOf([kind, value, ...rest]: readonly string[], { channel }: Arguments['options']): VaultChange {
  if (kind === undefined || value === undefined || rest.length > 0) throw new UsageFault(`say which change: ${KINDS}`)
  if (channel !== undefined && kind !== 'engine') throw new UsageFault('--channel belongs to the change of an engine')
  switch (kind) {
    case 'admin':
      return { admin: address(value) }
    case 'engine':
      return { engine: address(value), channel: whole('channel', channel ?? '0') }
    case 'pauser':
      return { pauser: address(value) }
    case 'delay':
      return { delay_s: duration_s('delay', value) }
    case 'code':
      return { code: codeOf(value) }
    case 'fee-cap':
      return { feeCap_ppm: whole('fee-cap', value) }
    case 'treasury':
      return { treasury: address(value) as AccountId }
    default:
      throw new UsageFault(`there is no change ${kind}: ${KINDS}`)
  }
}

/** An account or a contract. @throws UsageFault */
export function address(text: string): string {
  if (!isAddress(text)) throw new UsageFault(`${text} is no Stellar address (G… or C…)`)
  return text
}

function codeOf(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  if (!existsSync(text)) throw new UsageFault(`${text} is neither a sha256 (64 hex digits) nor a file with a contract's code`)
  return codeId(readFileSync(text))
}
