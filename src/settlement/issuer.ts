import type { Asset } from '@stellar/stellar-sdk'
import { accountEntry } from './accountEntry.ts'
import type { LedgerReader } from './stellarRpc.ts'

/** What an asset's issuer may do to those who hold it: flags of its account (CAP-0001, CAP-0035), which no contract can read. */
export const ISSUER_POWERS = {
  /** Nobody holds the asset whom the issuer has not authorised. */
  authorisation: 1,
  /** It may freeze a holding, the vault's with everybody's money in it included. */
  revocation: 2,
  /** It may take a holding back. */
  clawback: 8,
} as const

export type IssuerPower = keyof typeof ISSUER_POWERS

/** An issuer whose powers the operator has not accepted. */
export class IssuerRefused extends Error {
  readonly powers: readonly IssuerPower[]

  constructor(code: string, powers: readonly IssuerPower[]) {
    super(`the issuer of ${code} has powers that were not accepted: ${powers.join(', ')}`)
    this.name = 'IssuerRefused'
    this.powers = powers
  }
}

/** The flags of an asset's issuer as the ledger has them now; 0 for the network's own asset, which nobody issues. */
export async function issuerFlags(server: LedgerReader, asset: Asset): Promise<number> {
  const issuer = asset.getIssuer()
  return issuer === undefined ? 0 : (await accountEntry(server, issuer)).flags
}

/** @throws IssuerRefused where the flags give a power that is not among the accepted ones */
export function checkIssuer(asset: Asset, flags: number, accepted: readonly IssuerPower[]): void {
  const powers = (Object.keys(ISSUER_POWERS) as IssuerPower[]).filter((power) => (flags & ISSUER_POWERS[power]) !== 0 && !accepted.includes(power))
  if (powers.length > 0) throw new IssuerRefused(asset.getCode(), powers)
}
