import type { Keys } from '../enclave/keys.ts'
import type { ActorName, MarketName } from '../protocol/identity.ts'
import { limits } from '../protocol/limits.ts'
import type { Venue } from '../protocol/venue.ts'
import type { Hosted } from './runtime/driver.ts'
import type { Log } from './runtime/log.ts'

/**
 * How long what other actors say may wait for company. Traders wait for a pair actor at every message, so it has none; a vault actor's fills
 * mostly meet the next order within this time; a trade is settled seconds later in any case.
 */
const patience_ms = { vault: 2, settlement: 25 } as const

/** Of every actor but the vault actors, which the others wait for (pressure.ts). */
const bounds = { outbox: limits.outboxMessages } as const

/** What the module of the settlement actors gives. */
interface SettlementModule {
  createSettlement(venue: Venue, channel: number, keys: Keys, log: Log): Promise<Hosted>
  createWatcher(venue: Venue, log: Log): Hosted
  /** What the vault contract lets batches take as fees, in parts per million. */
  feeCap(venue: Venue, log: Log): Promise<number>
}

export interface RoleParts {
  readonly venue: Venue
  readonly keys: Keys
  readonly log: Log
  readonly settlementModule: string
}

/**
 * Makes the machine that an actor's name calls for. Modules are loaded as they are needed: a pair's thread has no use for a Stellar SDK, unless its market charges fees.
 * @throws Error where the venue has no such actor
 */
export async function createRole(actor: ActorName, parts: RoleParts): Promise<Hosted> {
  const { venue, keys, log, settlementModule } = parts
  if (!venue.actors.includes(actor)) throw new Error(`the venue ${venue.file.venue} has no actor ${actor}`)
  const [role, which] = actor.split('.') as [string, string]
  const loadSettlement = async (): Promise<SettlementModule> => (await import(settlementModule)) as SettlementModule
  switch (role) {
    case 'vault': {
      const { VaultMachine } = await import('./vault/vaultMachine.ts')
      const machine = new VaultMachine(Number(which), venue)
      const { vaultReadings } = await import('./vault/readings.ts')
      return { machine, patience_ms: patience_ms.vault, readings: vaultReadings(actor, machine) }
    }
    case 'pair': {
      const { PairMachine } = await import('./pair/pairMachine.ts')
      const { checkFees } = await import('./pair/feeCap.ts')
      const { driveSettings } = await import('./pair/settingsDriver.ts')
      const market = venue.markets.get(which as MarketName)
      if (market === undefined) throw new Error(`no market ${which} in the venue ${venue.file.venue}`)
      await checkFees(market, async () => (await loadSettlement()).feeCap(venue, log), log)
      const machine = new PairMachine(market, venue)
      const { pairReadings } = await import('./pair/readings.ts')
      return { machine, bounds, readings: pairReadings(market.name, machine), drive: (actor) => driveSettings(actor, { tape: machine.tapeRules, fees: machine.fees }, market.rules, log) }
    }
    case 'settlement':
      return { ...(await (await loadSettlement()).createSettlement(venue, Number(which), keys, log)), patience_ms: patience_ms.settlement, bounds }
    case 'watcher':
      return { ...(await loadSettlement()).createWatcher(venue, log), bounds }
    default:
      throw new Error(`no machine is known for the actor ${actor}`)
  }
}
