import { rpc } from '@stellar/stellar-sdk'
import type { Effects } from '../../src/actors/runtime/machine.ts'
import type { SettlementLocal } from '../../src/settlement/settlementLocal.ts'
import { SettlementMachine } from '../../src/settlement/settlementMachine.ts'
import { pairActor } from '../../src/protocol/subjects.ts'
import type { SimulatedRpc } from '../chain/simulatedRpc.ts'
import type { Defect } from './defect.ts'
import { changedEffects, WrappedMachine } from './wrappedMachine.ts'

/** Far in the future: the time of every transaction is over then. */
const MUCH_LATER = String(2 ** 40)
const NO_TRANSACTION = '0'.repeat(64)

class Impatient extends WrappedMachine {
  override local(input: unknown, effects: Effects): void {
    const local = input as SettlementLocal
    if (!(this.machine instanceof SettlementMachine) || local.kind !== 'dead') return this.machine.local(input, effects)
    const flight = this.machine.work.flight
    if (flight === null || !flight.is(local)) return
    // The number is used up, and its trades are traded once more.
    this.machine.local({ kind: 'confirmed', sequence: local.sequence, batch: local.batch, hash: local.hash, ledger: 0 }, changedEffects(effects, { send: () => undefined }))
    for (const trade of flight.batch.trades) this.machine.message(pairActor(trade.market), trade, effects)
  }
}

export const unknownIsFailed: Defect = {
  name: 'unknown-is-failed',
  what: 'Settlement takes a transaction that it has no answer of for dead, and settles its trades again under the next number.',
  machine: (machine) => (machine instanceof SettlementMachine ? new Impatient(machine) : machine),
  rpc: (server): SimulatedRpc => ({
    ...server,
    getTransaction: async (hash) => {
      const answer = await server.getTransaction(hash)
      return hash !== NO_TRANSACTION && answer.status === rpc.Api.GetTransactionStatus.NOT_FOUND ? ({ ...answer, latestLedgerCloseTime: MUCH_LATER } as never) : answer
    },
  }),
}

export const oneBelieved: Defect = {
  name: 'one-believed',
  what: 'Where several RPC servers are named, settlement and watcher ask the last one only.',
  endpoints: (servers) => servers.slice(-1),
}

export const eventSkipped: Defect = {
  name: 'event-skipped',
  what: 'The watcher leaves out the last event of a page that is full.',
  rpc: (server): SimulatedRpc => ({
    ...server,
    getEvents: async (request) => {
      const page = await server.getEvents(request)
      return page.events.length === request.limit ? { ...page, events: page.events.slice(0, -1) } : page
    },
  }),
}
