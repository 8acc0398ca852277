import { settlementActor } from '../../protocol/subjects.ts'
import type { SettlementStatus } from '../../settlement/settlementStatus.ts'
import { words } from '../arguments.ts'
import type { Command } from '../command.ts'
import { openOperation } from '../openOperation.ts'
import { table } from '../table.ts'

/** `darkpool reconcile`: whether the books of vault actors and the chain agree, as they are held against each other all the time. */
export const reconcile: Command = async ({ args, place, say }) => {
  words(args, [])
  const operation = await openOperation({ args, place, say })
  try {
    const { reconciled, differences } = await operation.ask<SettlementStatus>(settlementActor(operation.venue.channel), { kind: 'status' })
    const json = { reconciled, ...differences }
    const last = reconciled === null ? 'nothing was compared yet' : `last compared at ledger ${reconciled.ledger}, ${reconciled.accounts} accounts${reconciled.unseen === 0 ? '' : `; ${reconciled.unseen} accounts have a balance that no endpoint shows, and were not compared in full`}`
    if (differences.balances === 0) return { text: `${reconciled === null ? 'NOT KNOWN' : 'AGREED'}: ${last}`, json, failed: reconciled === null }
    const rows = differences.first.map(({ account, asset, ledger, agreed, first }) => [account, asset, String(ledger), agreed === null ? 'never' : String(agreed), first === null ? 'none: the chain moved alone' : String(first.record), first?.transaction ?? ''])
    const text = [
      `THEY DIFFER in ${differences.balances} balances: nothing of these accounts is co-signed; ${last}`,
      table(['account', 'asset', 'found at ledger', 'agreed at', 'first record', 'its transaction'], rows),
    ].join('\n')
    return { text, json, failed: true }
  } finally {
    await operation.close()
  }
}
