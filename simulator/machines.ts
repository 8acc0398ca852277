import { PairMachine } from '../src/actors/pair/pairMachine.ts'
import { VaultMachine } from '../src/actors/vault/vaultMachine.ts'
import { ReceiptSalts } from '../src/enclave/receiptSalts.ts'
import type { ActorName, MarketName } from '../src/protocol/identity.ts'
import type { Market } from '../src/protocol/market.ts'
import type { Venue } from '../src/protocol/venue.ts'
import { SettlementMachine } from '../src/settlement/settlementMachine.ts'
import { WatcherMachine } from '../src/settlement/watcherMachine.ts'

/** What actors leave to each other, and what settlement keeps, before those who cause more are held up (src/actors/roles.ts). */
export interface Bounds {
  readonly outbox: number
  readonly feed: number
  readonly queue: number
}

export type SimulatedMachine = VaultMachine | PairMachine | SettlementMachine | WatcherMachine

/** The machine that an actor's name calls for; nothing has happened to it yet. */
export function machineOf(actor: ActorName, venue: Venue, { queue }: Bounds): SimulatedMachine {
  const [role, which] = actor.split('.') as [string, string]
  const { settlement, vaultPartitions, vault } = venue.file
  switch (role) {
    case 'vault':
      return new VaultMachine(Number(which), venue)
    case 'pair':
      return new PairMachine(marketOf(venue, which as MarketName), venue)
    case 'settlement':
      return new SettlementMachine({
        channel: Number(which),
        vaultPartitions,
        ...settlement,
        maxQueued: queue,
        assetsOf: (name) => marketOf(venue, name).rules,
        salts: new ReceiptSalts(venue.subjects.venue, new Uint8Array(32).fill(7)),
      })
    case 'watcher':
      return new WatcherMachine(vaultPartitions, vault.fromLedger)
    default:
      throw new Error(`no machine for ${actor}`)
  }
}

export function marketOf(venue: Venue, name: MarketName): Market {
  const market = venue.markets.get(name)
  if (market === undefined) throw new Error(`no market ${name}`)
  return market
}
