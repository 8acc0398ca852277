import type { Keypair } from '@stellar/stellar-sdk'
import { PairMachine } from '../src/actors/pair/pairMachine.ts'
import type { DrivenActor, Driver, Hosted } from '../src/actors/runtime/driver.ts'
import { clearEnvelope } from '../src/actors/runtime/envelope.ts'
import type { Envelope } from '../src/actors/runtime/envelope.ts'
import type { Log } from '../src/actors/runtime/log.ts'
import { SealedEnvelope } from '../src/actors/runtime/sealedEnvelope.ts'
import { VaultMachine } from '../src/actors/vault/vaultMachine.ts'
import type { ActorName, ContractId, MarketName } from '../src/protocol/identity.ts'
import type { Venue } from '../src/protocol/venue.ts'
import { driveSettlement } from '../src/settlement/settlementDriver.ts'
import { SettlementMachine } from '../src/settlement/settlementMachine.ts'
import type { StellarRpc } from '../src/settlement/stellarRpc.ts'
import { VaultContract } from '../src/settlement/vaultContract.ts'
import { driveWatcher } from '../src/settlement/watcherDriver.ts'
import { WatcherMachine } from '../src/settlement/watcherMachine.ts'
import type { Host } from './host.ts'
import type { Random } from './random.ts'

/** As in src/actors/roles.ts. */
const patience_ms = { vault: 2, settlement: 25 } as const
const POLL_ms = 500
/** Short, so that transactions run out of time while a run lasts. */
const LIFETIME_s = 15
const EVENTS_PER_PAGE = 7

/** What actors leave to each other, and what settlement keeps, before those who cause more are held up (src/actors/roles.ts). */
export interface Bounds {
  readonly outbox: number
  readonly feed: number
  readonly queue: number
}

export interface RoleParts {
  readonly venue: Venue
  readonly host: Host
  readonly server: StellarRpc
  readonly engine: Keypair
  readonly random: Random
  readonly log: Log
  readonly bounds: Bounds
}

/** The machine that an actor's name calls for, with its driver where it has one. */
export function roleOf(actor: ActorName, parts: RoleParts): Hosted {
  const { venue, bounds } = parts
  const [role, which] = actor.split('.') as [string, string]
  switch (role) {
    case 'vault':
      return { machine: new VaultMachine(Number(which), venue), patience_ms: patience_ms.vault, bounds: { feed: bounds.feed } }
    case 'pair': {
      const market = venue.markets.get(which as MarketName)
      if (market === undefined) throw new Error(`no market ${which}`)
      return { machine: new PairMachine(market, venue), bounds }
    }
    case 'settlement':
      return settlementRole(Number(which), parts)
    case 'watcher':
      return watcherRole(parts)
    default:
      throw new Error(`no machine for ${actor}`)
  }
}

function settlementRole(channel: number, { venue, host, server, engine, random, log, bounds }: RoleParts): Hosted {
  const { settlement, vaultPartitions, network, vault } = venue.file
  const machine = new SettlementMachine({
    channel,
    vaultPartitions,
    ...settlement,
    maxQueued: bounds.queue,
    assetsOf: (name) => {
      const market = venue.markets.get(name)
      if (market === undefined) throw new Error(`no market ${name}`)
      return market.rules
    },
  })
  const options = {
    machine,
    server,
    vault: new VaultContract(vault.contract as ContractId, network.passphrase),
    channel,
    engine: async () => engine,
    poll_ms: POLL_ms,
    lifetime_s: LIFETIME_s,
    log,
    clock: host.clock,
    nonce: () => (BigInt(random.uint32()) << 31n) | BigInt(random.uint32() >>> 1),
  }
  return { machine, patience_ms: patience_ms.settlement, bounds, room: (from) => machine.hasRoom(from), drive: (actor: DrivenActor): Driver => driveSettlement(options, actor) }
}

function watcherRole({ venue, host, server, log, bounds }: RoleParts): Hosted {
  const { vaultPartitions, network, vault } = venue.file
  const machine = new WatcherMachine(vaultPartitions, vault.fromLedger)
  const options = {
    machine,
    server,
    vault: new VaultContract(vault.contract as ContractId, network.passphrase),
    fromLedger: vault.fromLedger,
    poll_ms: POLL_ms,
    log,
    page: EVENTS_PER_PAGE,
    clock: host.clock,
  }
  return { machine, bounds, drive: (actor: DrivenActor): Driver => driveWatcher(options, actor) }
}

/** How journals and snapshots are kept in this run: sealed, or readable where there is no secret. */
export function envelopeOf(kind: 'record' | 'snapshot', secret: Uint8Array | null, venue: Venue, actor: ActorName, random: Random): Envelope {
  if (secret === null) return clearEnvelope
  return new SealedEnvelope({ secret, venue: venue.subjects.venue, actor, kind, random: (bytes) => random.bytes(bytes) })
}
