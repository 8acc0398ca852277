import { settlementActor, watcherActor } from '../../protocol/subjects.ts'
import type { SettlementStatus } from '../../settlement/settlementStatus.ts'
import type { WatcherStatus } from '../../settlement/watcherStatus.ts'
import type { Command } from '../command.ts'
import { UsageFault } from '../fault.ts'
import { openOperation } from '../openOperation.ts'
import { facts } from '../table.ts'

/** `darkpool settlement queue`: what waits to settle, what is on its way, and how far the chain has been read. */
export const settlement: Command = async ({ args, place, say }) => {
  const { words } = args
  if (words.length !== 1 || words[0] !== 'queue') throw new UsageFault('darkpool settlement takes queue')
  const operation = await openOperation({ args, place, say })
  try {
    const [settling, watching, statuses] = await Promise.all([
      operation.ask<SettlementStatus>(settlementActor(operation.venue.channel), { kind: 'status' }),
      operation.ask<WatcherStatus>(watcherActor, { kind: 'status' }),
      operation.statuses(),
    ])
    const unreached = [settlementActor(operation.venue.channel), watcherActor].filter((actor) => statuses.get(actor)?.alarms.some(({ kind }) => kind === 'chain_unreachable'))
    const { queued, aside, flight, settled, refusals, lastRefusal, cosigns, feesLow, alarms } = settling
    const disagreeing = [...new Set([...settling.disagreeing, ...watching.disagreeing])]
    const rows: readonly (readonly [string, string])[] = [
      ['waiting', `${queued} trades`],
      ['on its way', flight === null ? 'nothing' : `batch ${flight.sequence}: ${flight.trades} trades of ${flight.accounts} accounts, ${flight.attempts} transactions made${flight.hash === null ? '' : `, ${flight.hash}`}`],
      ['settled last', settled === null ? 'nothing' : `batch ${settled.sequence} in ledger ${settled.ledger}, transaction ${settled.transaction}`],
      ['refused in a row', refusals === 0 ? '0' : `${refusals}, last for: ${lastRefusal ?? 'no reason given'}`],
      ['set aside', aside.trades === 0 ? '0 trades' : `${aside.trades} trades: ${aside.first.join(', ')}${aside.first.length < aside.trades ? ' …' : ''}`],
      ['withdrawals to sign', String(cosigns)],
      ['paying accounts low', feesLow.join(', ') || 'none'],
      ['chain read to', watching.gap === null ? `ledger ${watching.ledger}, ${watching.accounts} accounts` : `ledger ${watching.ledger}; no endpoint has ledger ${watching.gap.needed}, the oldest is ${watching.gap.oldest}`],
      ['endpoints', unreached.length === 0 ? 'enough of them answer' : `too few answer ${unreached.join(', ')}`],
      ['endpoints that disagree', disagreeing.join(', ') || 'none'],
      ['alarms', alarms.join(', ') || 'none'],
    ]
    return {
      text: facts(rows),
      json: { settlement: settling, watcher: watching, unreached },
      failed: alarms.length > 0 || unreached.length > 0 || watching.gap !== null || disagreeing.length > 0,
    }
  } finally {
    await operation.close()
  }
}
