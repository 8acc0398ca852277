import type { Keypair } from '@stellar/stellar-sdk'
import { systemClock } from '../actors/runtime/clock.ts'
import type { DrivenActor, Driver, Hosted } from '../actors/runtime/driver.ts'
import type { Log } from '../actors/runtime/log.ts'
import type { Keys } from '../enclave/keys.ts'
import { receiptSalts } from '../enclave/receiptSalts.ts'
import type { ContractId } from '../protocol/identity.ts'
import type { ChainAlarm } from '../protocol/packets.ts'
import { DEFAULT_CHANNEL, settlementActor, watcherActor } from '../protocol/subjects.ts'
import type { Venue } from '../protocol/venue.ts'
import { ContractRefusal } from './contractRefusal.ts'
import { openEndpoints } from './endpoints/quorumRpc.ts'
import type { QuorumRpc } from './endpoints/quorumRpc.ts'
import { RpcMeters } from './endpoints/rpcMeters.ts'
import { engineKeys, Engines } from './engines.ts'
import type { EngineKey } from './engines.ts'
import { VaultGovernance } from './governance/vaultGovernance.ts'
import { driveSettlement } from './settlementDriver.ts'
import type { SettlementLocal } from './settlementLocal.ts'
import { SettlementMachine } from './settlementMachine.ts'
import { SettlementMeters } from './settlementMeters.ts'
import { sourceKeys } from './sources.ts'
import { VaultContract } from './vaultContract.ts'
import { driveWatcher } from './watcherDriver.ts'
import { WatcherMachine } from './watcherMachine.ts'
import type { WatcherLocal } from './watcherMachine.ts'
import { WatcherMeters } from './watcherMeters.ts'

/** How often a transaction in doubt and the latest ledger are looked up: a fraction of a ledger's five seconds. */
const POLL_MS = 500
/** A dozen ledgers: a transaction that found no room in them is better made anew, with a higher fee. */
const LIFETIME_S = 60
/** 128 accounts each time: ten thousand in less than seven minutes. */
const RECONCILE_MS = 5_000

export interface HostedSettlement extends Hosted {
  readonly machine: SettlementMachine
  drive(actor: DrivenActor<SettlementLocal>): Driver
}

export interface HostedWatcher extends Hosted {
  readonly machine: WatcherMachine
  drive(actor: DrivenActor<WatcherLocal>): Driver
}

/** The settlement actor of one channel. `keys` gives the engine's keys, one of which the vault contract must know as its matching engine. */
export async function createSettlement(venue: Venue, channel: number, keys: Keys, log: Log): Promise<HostedSettlement> {
  const { settlement, vaultPartitions, network, vault } = venue.file
  const machine = new SettlementMachine({
    channel,
    vaultPartitions,
    ...settlement,
    assetsOf: (name) => {
      const market = venue.markets.get(name)
      if (!market) throw new Error(`no market ${name} in the venue's configuration`)
      return market.rules
    },
    salts: await receiptSalts(keys, venue.subjects.venue),
  })
  const [meters, calls] = [new SettlementMeters(), new RpcMeters(settlementActor(channel))]
  let opened: QuorumRpc | undefined
  const server = (): QuorumRpc => (opened ??= openEndpoints(network, log, calls))
  const contract = vault.contract as ContractId
  let known: Promise<readonly EngineKey[]> | undefined
  const engines = new Map<number, Engines>()
  const enginesOf = (of: number): Engines => {
    const opened = engines.get(of) ?? new Engines({ vault: new VaultGovernance({ server: server(), passphrase: network.passphrase }, contract), channel: of, keys: () => (known ??= engineKeys(keys, venue.file)), log })
    engines.set(of, opened)
    return opened
  }
  let sources: Promise<readonly Keypair[]> | undefined
  return {
    machine,
    room: (from) => machine.hasRoom(from),
    alarms: () => [...(machine.diverged ? [{ kind: 'chain_diverged' } as const] : []), ...unreachable(opened)],
    readings: async () => [...(await meters.read(machine, systemClock.now())), ...(await calls.read(server().health))],
    drive: (actor) =>
      driveSettlement(
        {
          machine,
          server: server(),
          reconciling: { server: server(), assets: venue.assets, every_ms: RECONCILE_MS },
          meters,
          vault: new VaultContract(contract, network.passphrase),
          channel,
          engine: (anew) => enginesOf(channel).inForce(anew),
          cosigning: () => enginesOf(DEFAULT_CHANNEL).obeyed(),
          sources: () => (sources ??= sourceKeys(keys, venue.file)),
          ...(settlement.mostFee !== undefined && { mostFee_stroops: BigInt(settlement.mostFee) }),
          ...(settlement.feesLow !== undefined && { feesLow_stroops: BigInt(settlement.feesLow) }),
          poll_ms: POLL_MS,
          lifetime_s: LIFETIME_S,
          log,
        },
        actor,
      ),
  }
}

/** Nobody has been asked before there is work. */
const unreachable = (server: QuorumRpc | undefined): readonly ChainAlarm[] => (server === undefined || server.health.enough ? [] : [{ kind: 'chain_unreachable' }])

/** What the vault contract lets batches take as fees, in parts per million: nothing where it is of before there were any. */
export async function feeCap(venue: Venue, log: Log): Promise<number> {
  const { network, vault } = venue.file
  try {
    return await new VaultGovernance({ server: openEndpoints(network, log), passphrase: network.passphrase }, vault.contract as ContractId).feeCap_ppm()
  } catch (error) {
    if (error instanceof ContractRefusal) return 0
    throw error
  }
}

/** The one actor that reads the vault contract's events. */
export function createWatcher(venue: Venue, log: Log): HostedWatcher {
  const { vaultPartitions, network, vault } = venue.file
  const machine = new WatcherMachine(vaultPartitions, vault.fromLedger, venue.channel)
  const [meters, calls] = [new WatcherMeters(), new RpcMeters(watcherActor)]
  let opened: QuorumRpc | undefined
  const server = (): QuorumRpc => (opened ??= openEndpoints(network, log, calls))
  return {
    machine,
    alarms: () => unreachable(opened),
    readings: async () => [...(await meters.read(machine)), ...(await calls.read(server().health))],
    drive: (actor) =>
      driveWatcher(
        {
          machine,
          server: server(),
          vault: new VaultContract(vault.contract as ContractId, network.passphrase),
          fromLedger: vault.fromLedger,
          poll_ms: POLL_MS,
          log,
        },
        actor,
      ),
  }
}
