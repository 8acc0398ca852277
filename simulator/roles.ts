import type { Keypair } from '@stellar/stellar-sdk'
import { PairMachine } from '../src/actors/pair/pairMachine.ts'
import { driveSettings } from '../src/actors/pair/settingsDriver.ts'
import type { DrivenActor, Driver, Hosted } from '../src/actors/runtime/driver.ts'
import { clearEnvelope } from '../src/actors/runtime/envelope.ts'
import type { Envelope } from '../src/actors/runtime/envelope.ts'
import type { Log } from '../src/actors/runtime/log.ts'
import { SealedEnvelope } from '../src/actors/runtime/sealedEnvelope.ts'
import { VaultMachine } from '../src/actors/vault/vaultMachine.ts'
import { JournalKeys } from '../src/enclave/journalKeys.ts'
import type { ActorName, ContractId, MarketName } from '../src/protocol/identity.ts'
import type { Venue } from '../src/protocol/venue.ts'
import { driveSettlement } from '../src/settlement/settlementDriver.ts'
import { SettlementMachine } from '../src/settlement/settlementMachine.ts'
import type { Disagreement } from '../src/settlement/stellarRpc.ts'
import { VaultContract } from '../src/settlement/vaultContract.ts'
import { driveWatcher } from '../src/settlement/watcherDriver.ts'
import type { WatcherMachine } from '../src/settlement/watcherMachine.ts'
import type { SimulatedRpc } from './chain/simulatedRpc.ts'
import type { Host } from './host.ts'
import { machineOf, marketOf } from './machines.ts'
import type { Bounds } from './machines.ts'
import type { Random } from './random.ts'

/** As in src/actors/roles.ts. */
const patience_ms = { vault: 2, settlement: 25 } as const
const POLL_ms = 500
/** Short, so that transactions run out of time while a run lasts. */
const LIFETIME_s = 15
const EVENTS_PER_PAGE = 7
/** Often, so that books are held against the chain while a run lasts. */
const RECONCILE_ms = 1_000

export interface RoleParts {
  readonly venue: Venue
  readonly host: Host
  readonly server: SimulatedRpc & Partial<Disagreement>
  readonly engine: Keypair
  readonly random: Random
  readonly log: Log
  readonly bounds: Bounds
}

/** The machine that an actor's name calls for, with its driver where it has one. */
export function roleOf(actor: ActorName, parts: RoleParts): Hosted {
  const { venue, bounds, log } = parts
  const machine = machineOf(actor, venue, bounds)
  if (machine instanceof VaultMachine) return { machine, patience_ms: patience_ms.vault, bounds: { feed: bounds.feed } }
  if (machine instanceof PairMachine) {
    const known = { tape: machine.tapeRules, fees: machine.fees }
    return { machine, bounds, drive: (driven) => driveSettings(driven, known, marketOf(venue, actor.slice(actor.indexOf('.') + 1) as MarketName).rules, log) }
  }
  if (machine instanceof SettlementMachine) return settlementRole(Number(actor.slice(actor.indexOf('.') + 1)), machine, parts)
  return watcherRole(machine, parts)
}

function settlementRole(channel: number, machine: SettlementMachine, { venue, host, server, engine, random, log, bounds }: RoleParts): Hosted {
  const { network, vault } = venue.file
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
    reconciling: { server, assets: venue.assets, every_ms: RECONCILE_ms },
    nonce: () => (BigInt(random.uint32()) << 31n) | BigInt(random.uint32() >>> 1),
  }
  return { machine, patience_ms: patience_ms.settlement, bounds, room: (from) => machine.hasRoom(from), drive: (actor: DrivenActor): Driver => driveSettlement(options, actor) }
}

function watcherRole(machine: WatcherMachine, { venue, host, server, log, bounds }: RoleParts): Hosted {
  const { network, vault } = venue.file
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
  return new SealedEnvelope({ keys: JournalKeys.only(secret), venue: venue.subjects.venue, actor, kind, random: (bytes) => random.bytes(bytes) })
}
