import { scValToNative } from '@stellar/stellar-sdk'
import type { Asset } from '@stellar/stellar-sdk'
import type { ContractId } from '../../protocol/identity.ts'
import { checkIssuer, issuerFlags } from '../issuer.ts'
import type { IssuerPower } from '../issuer.ts'
import type { Network } from '../transaction.ts'
import type { Step } from './step.ts'
import type { VaultGovernance } from './vaultGovernance.ts'

/** Admits a token to the vault: gives its asset index. The administrator's. */
export async function assetStep(vault: VaultGovernance, token: ContractId): Promise<Step<number>> {
  const what = `admit the token ${token}`
  const known = await vault.assetIndex(token)
  if (known !== null) return { what, operation: null, result: () => known }
  return {
    what,
    operation: vault.addAsset(token),
    result: (returned) => {
      const index = returned && (scValToNative(returned) as unknown)
      if (typeof index !== 'number') throw new Error('add_asset gave no asset index')
      return index
    },
  }
}

/**
 * Puts on record what an admitted asset's issuer can do, anew where it has changed since. The administrator's.
 * @throws IssuerRefused where the issuer has a power that is not accepted
 */
export async function issuerStep(network: Network, vault: VaultGovernance, asset: Asset, accepted: readonly IssuerPower[]): Promise<Step<number>> {
  const token = asset.contractId(network.passphrase) as ContractId
  const flags = await issuerFlags(network.server, asset)
  checkIssuer(asset, flags, accepted)
  const operation = (await vault.issuerFlags(token)) === flags ? null : vault.setIssuerFlags(token, flags)
  return { what: `record what the issuer of ${asset.getCode()} can do: flags ${flags}`, operation, result: () => flags }
}
