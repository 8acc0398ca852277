import type { AccountId } from '../../protocol/identity.ts'
import { changeText, sameChange } from '../vaultChange.ts'
import type { Announcement, VaultChange } from '../vaultChange.ts'
import type { Step } from './step.ts'
import type { VaultGovernance } from './vaultGovernance.ts'

/** Whether the vault is as the change would have it. Of code and of the delay to come nothing is known until it is applied. */
export async function isMade(vault: VaultGovernance, change: VaultChange): Promise<boolean> {
  if ('admin' in change) return (await vault.admin()) === change.admin
  if ('engine' in change) return (await vault.engine(change.channel)) === change.engine
  if ('pauser' in change) return (await vault.pauser()) === change.pauser
  if ('delay_s' in change) return (await vault.changeDelay_s()) === change.delay_s
  if ('feeCap_ppm' in change) return (await vault.feeCap_ppm()) === change.feeCap_ppm
  if ('treasury' in change) return (await vault.treasury()) === change.treasury
  return false
}

/** A change as it was announced, or null. */
export const announced = async (vault: VaultGovernance, change: VaultChange): Promise<Announcement | null> => (await vault.changes()).find((one) => sameChange(one.change, change)) ?? null

/** Says that a change is to come. The administrator's. */
export const announceStep = (vault: VaultGovernance, change: VaultChange): Step<VaultChange> => ({ what: `announce: ${changeText(change)}`, operation: vault.announceChange(change), result: () => change })

/** Makes a change that is due, or any while nobody has an account. The administrator's, or the new one's own. */
export const applyStep = (vault: VaultGovernance, change: VaultChange): Step<VaultChange> => ({ what: `apply: ${changeText(change)}`, operation: vault.applyChange(change), result: () => change })

/** Makes a change, unless the vault is so already. */
export async function changeStep(vault: VaultGovernance, change: VaultChange): Promise<Step<VaultChange>> {
  const step = applyStep(vault, change)
  return (await isMade(vault, change)) ? { ...step, operation: null } : step
}

/** Makes `engine` the matching engine of a channel. */
export const engineStep = (vault: VaultGovernance, channel: number, engine: AccountId): Promise<Step<VaultChange>> => changeStep(vault, { engine, channel })
