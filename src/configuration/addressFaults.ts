import { StrKey } from '@stellar/stellar-sdk/base'
import type { Fault } from '../protocol/shapeFaults.ts'
import { rpcEndpoints } from '../protocol/venue.ts'
import type { VenueFile } from '../protocol/venue.ts'
import { openRpc } from '../settlement/stellarRpc.ts'

/** What a process that settles would stop at though the file reads well: addresses whose check digits are wrong, and endpoints that anybody on the way could speak for. */
export function addressFaults({ network, vault, assets }: VenueFile): readonly Fault[] {
  const faults: Fault[] = []
  const contracts: readonly (readonly [string, string])[] = [['/vault/contract', vault.contract], ...assets.map(({ contract }, at) => [`/assets/${at}/contract`, contract] as const)]
  for (const [path, contract] of contracts) if (!StrKey.isValidContract(contract)) faults.push({ path, wrong: `${contract} has wrong check digits`, right: 'the contract’s address, copied whole' })
  for (const [at, url] of rpcEndpoints(network).entries()) {
    try {
      openRpc(url)
    } catch (error) {
      faults.push({ path: typeof network.rpc === 'string' ? '/network/rpc' : `/network/rpc/${at}`, wrong: (error as Error).message, right: 'https://, or http:// on this machine' })
    }
  }
  return faults
}
