import { Meters } from '../monitoring/meters.ts'
import type { Readings } from '../monitoring/meters.ts'
import type { Milliseconds } from '../protocol/identity.ts'
import type { Flight } from './flight.ts'
import type { SettlementMachine } from './settlementMachine.ts'

/** What settlement shows its operator: how far it is behind, and what it costs. Of the trades their number, of the accounts theirs. */
export class SettlementMeters {
  readonly #meters = new Meters()

  constructor() {
    this.#meters.count('darkpool_settlement_fee_stroops_total', {}, 0)
    for (const name of ['darkpool_settlement_batch_trades', 'darkpool_settlement_batch_accounts', 'darkpool_settlement_batch_seconds'] as const) this.#meters.expect(name)
  }

  /** A batch is final. */
  settled({ batch, queued }: Flight, fee_stroops: bigint, now: Milliseconds): void {
    const arrived = queued[0]?.arrived ?? now
    this.#meters.observe('darkpool_settlement_batch_trades', batch.trades.length)
    this.#meters.observe('darkpool_settlement_batch_accounts', batch.accounts.length)
    this.#meters.observe('darkpool_settlement_batch_seconds', Math.max(0, now - arrived) / 1_000)
    this.charged(fee_stroops)
  }

  /** The network has kept a fee; also of a transaction that failed. One endpoint said how much: nonsense must not hold settlement up. */
  charged(fee_stroops: bigint): void {
    if (fee_stroops > 0n) this.#meters.count('darkpool_settlement_fee_stroops_total', {}, Number(fee_stroops))
  }

  /** What the paying accounts have. */
  balances(stroops: readonly bigint[]): void {
    const least = stroops.reduce<bigint | null>((lowest, one) => (lowest === null || one < lowest ? one : lowest), null)
    if (least !== null) this.#meters.set('darkpool_settlement_least_balance_stroops', Number(least))
  }

  read(machine: Pick<SettlementMachine, 'status' | 'oldest'>, now: Milliseconds): Promise<Readings> {
    const { queued, aside, flight, settled, refusals, cosigns, feesLow, reconciled, alarms } = machine.status
    const meters = this.#meters
    meters.set('darkpool_settlement_queued_trades', queued)
    meters.set('darkpool_settlement_aside_trades', aside.trades)
    meters.set('darkpool_settlement_lag_seconds', machine.oldest === null ? 0 : Math.max(0, now - machine.oldest) / 1_000)
    meters.set('darkpool_settlement_batches_total', settled?.sequence ?? 0)
    meters.set('darkpool_settlement_attempts', flight?.attempts ?? 0)
    meters.set('darkpool_settlement_refusals', refusals)
    meters.set('darkpool_settlement_unregistered', alarms.includes('unregistered') ? 1 : 0)
    meters.set('darkpool_settlement_diverged', alarms.includes('diverged') ? 1 : 0)
    meters.set('darkpool_settlement_low_accounts', feesLow.length)
    meters.set('darkpool_settlement_cosigns_waiting', cosigns)
    meters.set('darkpool_settlement_unseen_accounts', reconciled?.unseen ?? 0)
    return meters.read()
  }
}
