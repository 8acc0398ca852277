import { rpc } from '@stellar/stellar-sdk'
import { cursorLedger } from './eventCursor.ts'
import type { Flight } from './flight.ts'
import type { ChainHead, StellarRpc } from './stellarRpc.ts'
import type { VaultContract } from './vaultContract.ts'

export interface SettledTransaction {
  readonly hash: string
  readonly ledger: number
}

export interface SettledSearch {
  readonly server: StellarRpc
  readonly vault: VaultContract
  readonly channel: number
  readonly flight: Flight
  readonly head: ChainHead
}

const PAGE = 100

/**
 * Which transaction settled a batch that the chain says is settled: one of those that were made for it, or else whatever the channel's
 * event names. null where the RPC keeps neither any more.
 */
export async function settledTransaction({ server, vault, channel, flight, head }: SettledSearch): Promise<SettledTransaction | null> {
  for (const { hash } of flight.submissions.toReversed()) {
    const answer = await server.getTransaction(hash)
    if (answer.status === rpc.Api.GetTransactionStatus.SUCCESS) return { hash, ledger: answer.ledger }
  }
  const filters = [vault.batchFilter(channel)]
  const startLedger = Math.max(flight.submissions[0]?.ledger ?? 0, head.oldestLedger)
  let page = await server.getEvents({ filters, startLedger, limit: PAGE })
  for (;;) {
    for (const event of page.events) if (vault.parseBatchSequence(event) === flight.sequence) return { hash: event.txHash, ledger: event.ledger }
    const { cursor, latestLedger } = page
    if (page.events.length < PAGE && cursorLedger(cursor) >= latestLedger) return null
    page = await server.getEvents({ filters, cursor, limit: PAGE })
    if (page.cursor === cursor) return null
  }
}
