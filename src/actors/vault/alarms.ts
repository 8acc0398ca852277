import type { VaultAlarm, VaultAlarms } from '../../protocol/vault.ts'
import type { VaultState } from './state.ts'

/** Alarms that are kept to be looked at; the count goes on. */
const KEPT = 64

export function raise(state: VaultState, alarm: VaultAlarm): void {
  state.alarmCount++
  state.alarms.push(alarm)
  if (state.alarms.length > KEPT) state.alarms.shift()
}

export const alarmsOf = (state: VaultState): VaultAlarms => ({ raised: state.alarmCount, recent: [...state.alarms] })
