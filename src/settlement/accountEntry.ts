import { Keypair, xdr } from '@stellar/stellar-sdk'
import type { LedgerReader } from './stellarRpc.ts'

/**
 * An account with everything that its entry says, as one ledger shows it: of several endpoints a quorum has to show the very same.
 * @throws Error where the network has no such account
 */
export async function accountEntry(server: LedgerReader, address: string): Promise<xdr.AccountEntry> {
  const key = xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId: Keypair.fromPublicKey(address).xdrAccountId() }))
  const [entry] = (await server.getLedgerEntries(key)).entries
  if (entry?.val.type !== 'account') throw new Error(`Account not found: ${address}`)
  return entry.val.value
}
