import { Meters } from '../../monitoring/meters.ts'
import type { Readings } from '../../monitoring/meters.ts'
import type { ActorName } from '../../protocol/identity.ts'
import type { VaultMachine } from './vaultMachine.ts'

/** What a vault actor shows its operator: that something is wrong, and nothing of whose money. */
export function vaultReadings(actor: ActorName, machine: Pick<VaultMachine, 'alarms'>): () => Promise<Readings> {
  const meters = new Meters()
  return () => {
    meters.set('darkpool_vault_alarms_total', machine.alarms.raised, { actor })
    return meters.read()
  }
}
